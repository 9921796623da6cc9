"""PNG and JPEG files to uint8 RGB, as ayanc/rpgan reads them."""
from __future__ import annotations

import io
import os

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_suite.data.rgb import check_pixels
from tfgan_suite.errors import UserError, naming, reason
from tfgan_suite.files.archive import open_regular

PNG_FIRST_BYTE = 137


def decode(data: bytes, where: str) -> np.ndarray:
    """An image file's bytes as uint8 [H, W, 3].

    The content decides, not the name: first byte 137 is PNG, anything else must be JPEG. Grey is replicated,
        palettes are
    expanded, alpha is dropped without compositing. JPEG uses the accurate integer inverse DCT, as TensorFlow
    0.9 did.

    Args:
        where: names the file in messages.

    Raises:
        UserError: empty, truncated, or neither PNG nor JPEG.
    """
    if not data:
        raise UserError(f"{where}: is empty; replace it or take it off the list")
    if data[0] == PNG_FIRST_BYTE and data[12:16] == b"IHDR":
        _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"), where)
    try:
        if data[0] == PNG_FIRST_BYTE:
            return tf.io.decode_png(data, channels=3).numpy()
        if data[:2] != b"\xff\xd8":
            raise UserError(f"{where}: is neither PNG nor JPEG; convert it or take it off the list")
        height, width, _ = tf.io.extract_jpeg_shape(data).numpy()
        _check_size(int(width), int(height), where)
        return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy()
    except tf.errors.OpError:
        kind = "PNG" if data[0] == PNG_FIRST_BYTE else "JPEG"
        raise UserError(
            f"{where}: is a broken or truncated {kind} file; replace it or take it off the list"
        ) from None


def _check_size(width: int, height: int, where: str) -> None:
    """Before anything is decoded: a small file may hold a huge picture."""
    with naming(where):
        check_pixels(width, height)


def read_bytes(path, where: str = "") -> bytes:
    """The content of a file.

    Raises:
        UserError: it cannot be read; `where` (default: the path) names it.
    """
    try:
        with open_regular(path) as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        encoding = "; is the list in UTF-8?" if not str(path).isprintable() else ""
        raise UserError(f"{where or path}: cannot read the image: {reason(error)}{encoding}") from None


def read(path, where: str = "") -> np.ndarray:
    """An image file as uint8 [H, W, 3]; see `decode`.

    Raises:
        UserError: missing, empty, truncated, or neither PNG nor JPEG.
    """
    return decode(read_bytes(path, where), where or str(path))


def probe(path, where: str = "") -> tuple[int, int]:
    """(height, width) from the head of a PNG or JPEG file, and a quick look at its tail.

    A file that ends as its format says is taken as whole; one that does not is decoded to find out (bytes may
    follow the end).

    Raises:
        UserError: as `read`.
    """
    where = where or str(path)
    try:
        with open_regular(path) as file:
            head = file.read(1 << 16)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 12))
            tail = file.read()
        with Image.open(io.BytesIO(head), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
        _check_size(width, height, where)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return read(path,
                    where).shape[:2]  # what is wrong, in the decoder's words; or a head longer than we read
    whole = tail[4:8] == b"IEND" if head[0] == PNG_FIRST_BYTE else tail.endswith(b"\xff\xd9")
    return (height, width) if whole else read(path, where).shape[:2]
