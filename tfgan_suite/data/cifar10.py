"""CIFAR-10 from the official Python archive, extracted or not. Its pickles are read as data: no code in them is ever run."""
from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from tfgan_suite.data import catalog
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)
PARTS = {"train": TRAIN, "test": TEST, "all": TRAIN + TEST}
ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
_PIXELS = 3 * 32 * 32
_LARGEST = 64 << 20  # a batch file has 31 MB


class _PickledType:
    """Stands for `numpy.dtype` in a pickle: remembers its name, makes nothing."""

    def __init__(self, name=b"", *_):
        self.name = name.encode() if isinstance(name, str) else name

    def __setstate__(self, state):
        """The byte order and the like, which single bytes do not have."""


class _PickledArray:
    """Stands for a NumPy array in a pickle: remembers shape, type and bytes."""

    state = None

    def __setstate__(self, state):
        self.state = state

    def array(self) -> np.ndarray:
        """The array.

        Raises:
            ValueError: anything but an array of bytes.
        """
        _, shape, kind, fortran, data = self.state
        if not isinstance(kind, _PickledType) or kind.name != b"u1" or not isinstance(data, bytes):
            raise ValueError("no array of bytes")
        return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C")


def _new_array(*_):
    return _PickledArray()


def _array_from_bytes(data, kind, shape, order="C"):
    """What protocol 5 calls to rebuild an array."""
    made = _PickledArray()
    made.state = (1, shape, kind, order == "F", bytes(data) if isinstance(data, bytearray) else data)
    return made


def _latin1(text, encoding="latin1"):
    """What protocol 2 of Python 3 calls to rebuild bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("odd bytes")
    return text.encode("latin1")


_ALLOWED = {
    "numpy.core.multiarray._reconstruct": _new_array, "numpy._core.multiarray._reconstruct": _new_array,
    "numpy.core.numeric._frombuffer": _array_from_bytes, "numpy._core.numeric._frombuffer": _array_from_bytes,
    "numpy.ndarray": _PickledArray, "numpy.dtype": _PickledType, "_codecs.encode": _latin1,
}


class _Unpickler(pickle._Unpickler):  # the one in Python: hostile sizes cannot exhaust the memory, as in the one in C
    """Reads the few things that the archive's pickles are made of; every other name in them is refused."""

    def find_class(self, module, name):
        if f"{module}.{name}" not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ALLOWED[f"{module}.{name}"]


def _batch(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [n, 32, 32, 3] and int32 [n] of one batch file."""
    advice = f"download {ARCHIVE} again from {catalog.DATASETS['cifar10'].home}"
    try:
        entries = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        flat, labels = entries[b"data"].array(), np.array(entries[b"labels"], np.int64)
    except pickle.UnpicklingError as error:
        raise UserError(f"{where}: is not a CIFAR-10 batch, nothing in it was run ({error}); {advice}") from None
    except Exception as error:  # a broken pickle can raise anything; whatever it is, the file is at fault
        raise UserError(f"{where}: is broken or truncated ({type(error).__name__}); {advice}") from None
    if flat.ndim != 2 or flat.shape[1] != _PIXELS or labels.shape != flat.shape[:1] or not len(flat):
        raise UserError(f"{where}: has data of shape {flat.shape} and {labels.size} labels, not [n, {_PIXELS}] and n; {advice}")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise UserError(f"{where}: has labels {labels.min()} to {labels.max()}, not 0 to {len(CLASSES) - 1}; {advice}")
    return flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels.astype(np.int32)


def _from_folder(folder: Path, names: tuple) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            raise UserError(f"{folder / name}: {error.strerror}; {catalog.help_for('cifar10', folder)}") from None
    return found


def _from_archive(path: Path, names: tuple) -> dict[str, bytes]:
    """Reads the batch files straight out of the archive; nothing is written to disk."""
    found = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = Path(member.name).name
                if name in names and member.isfile() and member.size <= _LARGEST:
                    found[name] = archive.extractfile(member).read()
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise UserError(f"{path}: is broken or truncated ({error}); delete it and "
                        f"{catalog.help_for('cifar10', path.parent)}") from None
    for name in names:
        if name not in found:
            raise UserError(f"{path}: has no {name}; delete it and {catalog.help_for('cifar10', path.parent)}")
    return found


def _find(root: Path, names: tuple) -> dict[str, bytes]:
    if root.is_file():
        return _from_archive(root, names)
    for folder in (root, root / FOLDER):
        if (folder / names[0]).is_file():
            return _from_folder(folder, names)
    if (root / ARCHIVE).is_file():
        return _from_archive(root / ARCHIVE, names)
    raise UserError(f"{root}: no CIFAR-10 there (neither {names[0]} nor {ARCHIVE}); {catalog.help_for('cifar10', root)}")


class Cifar10(ArraySource):
    """CIFAR-10 in memory, in the order of the files.

    Args:
        root: the folder with the batch files, the folder above it, the folder with the archive, or the archive itself.
        part: 'train' (50,000), 'test' (10,000) or 'all' (train, then test).

    Raises:
        UserError: missing, truncated, or with anything in its pickles that does not belong there.
    """

    def __init__(self, root, part: str = "train"):
        if part not in PARTS:
            raise UserError(f"CIFAR-10 has no part '{part}'; choose from {', '.join(PARTS)}")
        files = _find(Path(root), PARTS[part])
        batches = [_batch(files[name], f"{root}: {name}") for name in PARTS[part]]
        super().__init__(np.concatenate([images for images, _ in batches]), np.concatenate([labels for _, labels in batches]),
                         f"{root} ({part})", CLASSES)
