"""Writing pictures: the common formats that Pillow writes, and animated GIF."""
from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import write_bytes

WRITABLE = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")

_LONGEST = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535}  # pixels of a side that a format can hold


def check_output(path, kinds=WRITABLE) -> Path:
    """`path` as a Path, if its name says a format that can be written and its folder is writable.

    Raises:
        UserError: it does not.
    """
    path = Path(path)
    if path.suffix.lower() not in kinds:
        raise UserError(f"{path}: cannot write this format; give a name that ends in {', '.join(kinds)}")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give the name of a file")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if not os.access(path.absolute().parent, os.W_OK):
        raise UserError(f"{path}: the folder {path.absolute().parent} is not writable")
    return path


def _format(path: Path, picture: Image.Image) -> str:
    """The format that a file name says.

    Raises:
        UserError: the picture is too large for it.
    """
    kind = Image.registered_extensions()[path.suffix.lower()]
    longest = _LONGEST.get(kind)
    if longest and max(picture.size) > longest:
        width, height = picture.size
        raise UserError(f"{path}: the picture has {width}x{height} pixels, and {kind} holds {longest} on a "
                        f"side at most; give a name that ends in .png, or ask for fewer --rows or --cols")
    return kind


def enlarged(image: np.ndarray, scale: int) -> np.ndarray:
    """[H, W] or [H, W, C] with each pixel as a square of `scale` x `scale`."""
    return image if scale == 1 else image.repeat(scale, axis=0).repeat(scale, axis=1)


def save(path, image: np.ndarray, scale: int = 1) -> None:
    """Writes uint8 [H, W, 3] (or [H, W]) in the format that the file name says.

    Args:
        scale: side of a pixel.

    Raises:
        UserError: another file name, a picture that is too large for the format, or the file cannot be
            written.
    """
    path, picture, buffer = check_output(path), Image.fromarray(enlarged(image, scale)), io.BytesIO()
    picture.save(buffer, _format(path, picture))
    write_bytes(path, buffer.getvalue())


def save_gif(path, frames, milliseconds: int = 100, scale: int = 1) -> None:
    """Writes uint8 frames [H, W, 3] as an endless animated GIF.

    Args:
        scale: side of a pixel.

    Raises:
        UserError: the name does not end in .gif, the frames are too large, or the file cannot be written.
    """
    path = check_output(path, (".gif",))
    pictures = [Image.fromarray(enlarged(f, scale)) for f in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, _format(path, pictures[0]), save_all=True, append_images=pictures[1:],
                     duration=milliseconds, loop=0)
    write_bytes(path, buffer.getvalue())
