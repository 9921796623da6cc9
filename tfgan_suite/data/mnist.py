"""MNIST from its four IDX files, plain or gzipped."""
from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from tfgan_suite.data import catalog
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError

CLASSES = tuple("0123456789")
PARTS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}
MOST_PACKED, SPARE = 100, 1 << 26  # how far a file may grow when it is unpacked: MNIST's grow five times
_IMAGES, _LABELS = 0x803, 0x801  # magic numbers: bytes in 3 and 1 dimensions


def read_idx(path, magic: int) -> np.ndarray:
    """The uint8 array of an IDX file; `magic` says what it must be.

    Raises:
        UserError: unreadable, another kind of file, or longer or shorter than its head says.
    """
    path = Path(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            dims = magic & 0xFF
            head = np.frombuffer(file.read(4 + 4 * dims), ">u4")
            if len(head) != 1 + dims or head[0] != magic:
                raise UserError(f"{path}: is not an MNIST {'image' if magic == _IMAGES else 'label'} file; "
                                f"download it again")
            shape = tuple(int(n) for n in head[1:])
            size = int(np.prod(shape, dtype=object))
            if size > MOST_PACKED * os.stat(path).st_size + SPARE:
                raise UserError(f"{path}: claims to hold {size} bytes; download it again")
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or 'is broken or truncated'}; download "
                        f"it again") from None
    if len(data) != size:
        raise UserError(f"{path}: holds {'more' if len(data) > size else 'fewer'} bytes than it says; "
                        f"download it again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _find(root: Path, name: str) -> Path:
    for candidate in (root / name, root / f"{name}.gz", root / name.replace("-idx", ".idx")):
        if candidate.is_file():
            return candidate
    raise UserError(f"{root}: no {name} (or {name}.gz) there; {catalog.help_for('mnist', root)}")


class Mnist(ArraySource):
    """MNIST in memory: uint8 [n, 28, 28, 1], labels 0 to 9.

    Args:
        root: the folder of the files.
        part: 'train' (60,000), 'test' (10,000) or 'all' (train, then test, as rothk/Stabilizing_GANs trains
            on).

    Raises:
        UserError: a missing or broken file.
    """

    def __init__(self, root, part: str = "train"):
        if part not in PARTS:
            raise UserError(f"MNIST has no part '{part}'; choose from {', '.join(PARTS)}")
        arrays, labels = [], []
        for prefix in PARTS[part]:
            arrays.append(read_idx(_find(Path(root), f"{prefix}-images-idx3-ubyte"), _IMAGES))
            labels.append(read_idx(_find(Path(root), f"{prefix}-labels-idx1-ubyte"), _LABELS))
            if len(arrays[-1]) != len(labels[-1]):
                raise UserError(f"{root}: {len(arrays[-1])} {prefix} images but {len(labels[-1])} labels; "
                                f"download them again")
        if any(a.shape[1:] != arrays[0].shape[1:] for a in arrays):
            raise UserError(f"{root}: training and test images are of different sizes; download them again")
        label = np.concatenate(labels)
        if not label.size or label.max() > 9:
            raise UserError(f"{root}: the labels are not the digits 0 to 9; download them again")
        super().__init__(np.concatenate(arrays)[..., None], label, f"{root} ({part})", CLASSES)
