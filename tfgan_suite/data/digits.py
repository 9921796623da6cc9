"""The embedded data set: scikit-learn's 1,797 handwritten digits (8x8 scans with 16 grey levels and labels).

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI machine learning repository
    (its test part).
"""
from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_suite.data.lists import list_text, write_list
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files.archive import partial_of

COUNT = 1797
SIDE = 8
CLASSES = tuple("0123456789")
_LARGEST = 512


def _cubic(x: np.ndarray) -> np.ndarray:
    """The Catmull-Rom kernel (Keys 1981 with a = -1/2), zero from |x| = 2 on."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _resize_matrix(size: int) -> np.ndarray:
    """float64 [size, 8]: one axis of the resize. Pixel centres at half-integers; the kernel widens when it
    shrinks; beyond the border there is nothing, and the remaining weights are scaled to sum to one."""
    scale = SIDE / size
    centres = (np.arange(size) + 0.5) * scale - 0.5
    weights = _cubic((centres[:, None] - np.arange(SIDE)) / max(scale, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


@cache
def _scans() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits  # half a second to import, and only this data set needs it

    data = load_digits()
    return data.images.astype(np.float64), data.target.astype(np.int32)


def arrays(size: int) -> tuple[np.ndarray, np.ndarray]:
    """All digits, bright ink on dark ground, and their labels.

    The scans are resized with the separable Catmull-Rom kernel in float64, level 16 becomes 255, and the
    result is clipped
    and rounded: the same bytes on every machine.

    Args:
        size: side in pixels, 1 to 512.

    Returns:
        uint8 [1797, size, size, 3] with three equal channels, int32 [1797].

    Raises:
        UserError: a size out of bounds.
    """
    if not 1 <= size <= _LARGEST:
        raise UserError(f"digits: cannot make them {size} pixels wide; choose a size from 1 to {_LARGEST}")
    scans, labels = _scans()
    matrix = _resize_matrix(size)
    resized = matrix @ scans @ matrix.T
    # Adding 1e-9 keeps exact halves away from the last bit, in which machines may differ.
    grey = np.floor(np.clip(resized * (255.0 / 16.0), 0, 255) + 0.5 + 1e-9).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1), labels.copy()


class DigitsSource(ArraySource):
    """The digits in memory, at the size asked for, with labels 0 to 9."""

    def __init__(self, size: int):
        super().__init__(*arrays(size), name=f"digits at {size}x{size}", classes=CLASSES)
        self.size = size


def _file_name(index: int) -> str:
    return f"{index:04d}.png"


def _files(folder: Path) -> list[Path]:
    return [folder / _file_name(i) for i in range(COUNT)]


def _write_all(target: Path, folder: Path, size: int) -> None:
    """Fills `target`, which will be renamed to `folder`."""
    pictures, labels = arrays(size)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(target / _file_name(i))
    (target / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    (target / "list.txt").write_text(list_text(_files(folder)))


def _check_existing(folder: Path, size: int) -> None:
    """A folder that an earlier call made: right size, and its list leads to its files from the current
    folder."""
    problem, advice = "is no complete export of the digits", "delete it or give another folder"
    if not (folder / "list.txt").is_file() or not (folder / _file_name(COUNT - 1)).is_file():
        raise UserError(f"{folder}: {problem}; {advice}")
    with reading(folder, problem, advice):
        with Image.open(folder / _file_name(COUNT - 1)) as picture:
            side = picture.size[0]
        old = (folder / "list.txt").read_text(errors="surrogateescape")
    if side != size:
        raise UserError(f"{folder}: holds digits of {side}x{side}, not {size}x{size}; delete it or give "
                        f"another folder")
    if old != list_text(_files(folder)) and not Path(old.split("\n", 1)[0]).is_file():
        write_list(folder / "list.txt", _files(folder))


def export(folder, size: int) -> Path:
    """Writes the digits as 1,797 PNG files with `list.txt` (a path a line, as `lfile` wants them) and
    `labels.txt`.

    The folder appears whole or not at all. If it is there already, nothing is written, except that a list
    whose paths do not lead from the current folder to the files is renewed.

    Args:
        folder: where to; missing parents are made.
        size: side in pixels.

    Returns:
        The path of the list file.

    Raises:
        UserError: cannot write, or something else is in the folder.
    """
    folder = Path(folder)
    if not (folder.is_dir() and any(folder.iterdir())):
        partial = partial_of(folder.absolute())
        try:
            partial.mkdir(parents=True)
            _write_all(partial, folder, size)
            os.rename(partial, folder)
        except OSError as error:
            if not (folder / "list.txt").is_file():  # otherwise another process was quicker
                raise UserError(f"{folder}: cannot write: {error.strerror}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    _check_existing(folder, size)
    return folder / "list.txt"
