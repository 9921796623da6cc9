"""CIFAR-10 from the official Python archive, extracted or not. Its pickles are read as data: no code in them
is ever run."""
from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

from tfgan_suite.data import catalog
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import pickles
from tfgan_suite.files.archive import read_bytes

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)
PARTS = {"train": TRAIN, "test": TEST, "all": TRAIN + TEST}
ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
_PIXELS = 3 * 32 * 32
_LARGEST = 64 << 20  # a batch file has 31 MB


def _numbers(labels) -> list[int]:
    """A list of whole numbers and nothing else: NumPy would follow lists in lists, and lists in
    themselves."""
    if not isinstance(labels, list) or not all(type(n) is int for n in labels):
        raise ValueError("its labels are no list of numbers")
    return labels


def _batch(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [n, 32, 32, 3] and int32 [n] of one batch file."""
    advice = f"download {ARCHIVE} again from {catalog.DATASETS['cifar10'].home}"
    with reading(where, "is no CIFAR-10 batch, or broken; nothing in it was run", advice):
        entries = pickles.Reader(io.BytesIO(data), {**pickles.PLAIN, **pickles.NUMPY}, "bytes").load()
        flat, labels = entries[b"data"].array(), np.array(_numbers(entries[b"labels"]), np.int64)
        if flat.dtype != np.uint8:
            raise ValueError("its pixels are no bytes")
    if flat.ndim != 2 or flat.shape[1] != _PIXELS or labels.shape != flat.shape[:1] or not len(flat):
        raise UserError(f"{where}: has data of shape {flat.shape} and {labels.size} labels, not [n, "
                        f"{_PIXELS}] and n; {advice}")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise UserError(f"{where}: has labels {labels.min()} to {labels.max()}, not 0 to {len(CLASSES) - 1}; "
                        f"{advice}")
    return flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels.astype(np.int32)


def _from_folder(folder: Path, names: tuple) -> dict[str, bytes]:
    return {name: read_bytes(folder / name, catalog.help_for("cifar10", folder)) for name in names}


def _from_archive(path: Path, names: tuple) -> dict[str, bytes]:
    """Reads the batch files straight out of the archive; nothing is written to disk."""
    found = {}
    advice = f"delete it and {catalog.help_for('cifar10', path.parent)}"
    with reading(path, "is broken or truncated", advice), tarfile.open(path, "r:*") as archive:
        for member in archive:
            name = Path(member.name).name
            if name in names and member.isfile() and member.size <= _LARGEST:
                found[name] = archive.extractfile(member).read()
    for name in names:
        if name not in found:
            raise UserError(f"{path}: has no {name}; delete it and "
                            f"{catalog.help_for('cifar10', path.parent)}")
    return found


def is_at(root) -> bool:
    """Whether a folder holds the batch files or the archive."""
    root = Path(root)
    return any((place / TRAIN[0]).is_file() for place in (root, root / FOLDER)) or (root / ARCHIVE).is_file()


def _find(root: Path, names: tuple) -> dict[str, bytes]:
    if root.is_file():
        return _from_archive(root, names)
    for folder in (root, root / FOLDER):
        if (folder / names[0]).is_file():
            return _from_folder(folder, names)
    if (root / ARCHIVE).is_file():
        return _from_archive(root / ARCHIVE, names)
    raise UserError(f"{root}: no CIFAR-10 there (neither {names[0]} nor {ARCHIVE}); "
                    f"{catalog.help_for('cifar10', root)}")


class Cifar10(ArraySource):
    """CIFAR-10 in memory, in the order of the files.

    Args:
        root: the folder with the batch files, the folder above it, the folder with the archive, or the
            archive itself.
        part: 'train' (50,000), 'test' (10,000) or 'all' (train, then test).

    Raises:
        UserError: missing, truncated, or with anything in its pickles that does not belong there.
    """

    def __init__(self, root, part: str = "train"):
        if part not in PARTS:
            raise UserError(f"CIFAR-10 has no part '{part}'; choose from {', '.join(PARTS)}")
        files = _find(Path(root), PARTS[part])
        batches = [_batch(files[name], f"{root}: {name}") for name in PARTS[part]]
        super().__init__(np.concatenate([images for images, _ in batches]),
                         np.concatenate([labels for _, labels in batches]),
                         f"{root} ({part})", CLASSES)
