"""Pictures: ranges, bytes, sheets, files."""
from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_suite.errors import UserError

WRITABLE = (".png", ".jpg", ".jpeg")


def to_uint8(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes by truncation, in float32: the rule of ayanc/rpgan (section 3.2 of its spec)."""
    x = np.asarray(x, np.float32)
    scaled = (x * np.float32(0.5) + np.float32(0.5)) * np.float32(255.0)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def to_float(x: np.ndarray) -> np.ndarray:
    """Bytes -> [-1, 1] float32: x * (2/255) - 1."""
    return x.astype(np.float32) * np.float32(2.0 / 255.0) - np.float32(1.0)


def grid(images: np.ndarray, rows: int, cols: int, border: int = 0, fill: int = 0) -> np.ndarray:
    """One sheet of images [n, H, W, C], row by row; missing cells are filled.

    Args:
        images: uint8 [n, H, W, C] with n <= rows * cols; one channel becomes three.
        border: pixels between cells and around the sheet.
        fill: their value.

    Returns:
        uint8 [rows * (H + border) + border, cols * (W + border) + border, 3].
    """
    n, h, w, c = images.shape
    if n > rows * cols:
        raise ValueError(f"{n} images do not fit into {rows} x {cols} cells")
    sheet = np.full((rows * (h + border) + border, cols * (w + border) + border, 3), fill, np.uint8)
    for i in range(n):
        y, x = (i // cols) * (h + border) + border, (i % cols) * (w + border) + border
        sheet[y:y + h, x:x + w] = images[i] if c == 3 else images[i, ..., :1]
    return sheet


def check_output(path, kinds=WRITABLE) -> Path:
    """`path` as a Path, if its name says a format that can be written and its folder is writable.

    Raises:
        UserError: it does not.
    """
    path = Path(path)
    if path.suffix.lower() not in kinds:
        raise UserError(f"{path}: cannot write this format; give a name that ends in {', '.join(kinds)}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if not os.access(path.absolute().parent, os.W_OK):
        raise UserError(f"{path}: the folder {path.absolute().parent} is not writable")
    return path


def make_folder(path) -> Path:
    """A folder for results, made with its parents if it is missing.

    Raises:
        UserError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot make the folder: {error.strerror}; give another one") from None
    return Path(path)


def write_bytes(path, data: bytes) -> None:
    """Writes a whole file under a temporary name and renames it, so that no half file is ever seen.

    Raises:
        UserError: the folder is not writable or the disk is full; an older file of that name is intact.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise UserError(f"{path}: cannot write: {error.strerror}") from error


def save(path, image: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] (or [H, W]) as PNG or JPEG, by the file name.

    Raises:
        UserError: another file name, or the file cannot be written.
    """
    path = check_output(path)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG" if path.suffix.lower() == ".png" else "JPEG")
    write_bytes(path, buffer.getvalue())


def save_gif(path, frames, milliseconds: int = 100) -> None:
    """Writes uint8 frames [H, W, 3] as an endless animated GIF.

    Raises:
        UserError: the name does not end in .gif, or the file cannot be written.
    """
    path = check_output(path, (".gif",))
    pictures = [Image.fromarray(f) for f in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
    write_bytes(path, buffer.getvalue())
