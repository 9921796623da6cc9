"""PNG and JPEG files to uint8 RGB, as ayanc/rpgan reads them."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import tensorflow as tf

from tfgan_suite.data.rgb import MOST_PIXELS, check_pixels
from tfgan_suite.errors import UserError, naming, reason
from tfgan_suite.files.archive import open_regular

PNG_FIRST_BYTE = 137
HEAD, TAIL = 1 << 16, 12  # bytes of a file that are looked at
BLOCKS = (64, 16, 4, 1)  # how many images one call works on
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's segments that hold the size


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


def dimensions(data: bytes) -> tuple[int, int] | None:
    """(height, width) from the head of a PNG or JPEG file; None where it does not say."""
    if data[:1] == bytes([PNG_FIRST_BYTE]) and data[12:16] == b"IHDR":
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind in _FRAMES:
            return int.from_bytes(data[at + 5:at + 7], "big"), int.from_bytes(data[at + 7:at + 9], "big")
        if kind == 0xDA:  # the pixels begin
            break
        # a byte that fills up, a mark alone, or a segment with its length
        at += 1 if kind == 0xFF else 2 if kind == 1 or 0xD0 <= kind <= 0xD8 else \
            2 + int.from_bytes(data[at + 2:at + 4], "big")
    return None


@cache
def _decoder(count: int) -> Callable:
    """A graph that decodes so many files at once: no Python between them, and all cores."""
    @tf.function(input_signature=[tf.TensorSpec([count], tf.string)], autograph=False)
    def run(files):
        with tf.device("CPU:0"):  # the operation reads PNG too
            return [tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE")
                    for file in tf.unstack(files)]

    return run


def in_blocks(count: int) -> Iterator[slice]:
    """Slices of 0..count-1 as long as `BLOCKS`, so that few graphs do for every count."""
    start = 0
    while start < count:
        size = next(b for b in BLOCKS if b <= count - start)
        yield slice(start, start + size)
        start += size


def several(files: Sequence[bytes], where: Sequence[str]) -> list[np.ndarray]:
    """`decode` of several files; faster, with the same results and errors."""
    found = []
    for part in in_blocks(len(files)):
        found += _block(files[part], where[part])
    return found


def _block(files: Sequence[bytes], where: Sequence[str]) -> list[np.ndarray]:
    sizes = [dimensions(data) for data in files]
    if len(files) > 1 and None not in sizes and sum(h * w for h, w in sizes) <= MOST_PIXELS:
        try:
            return [image.numpy() for image in _decoder(len(files))(tf.constant(files))]
        except tf.errors.OpError:
            pass  # one of them is broken: the first that is gets its line below
    return [decode(data, name) for data, name in zip(files, where)]


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
            head = file.read(HEAD)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read()
    except (OSError, ValueError):
        return read(path, where).shape[:2]  # what is wrong, in the reader's words
    found = dimensions(head)
    if found is None:
        return read(path, where).shape[:2]
    _check_size(found[1], found[0], where)
    return found if ends_whole(head, tail) else read(path, where).shape[:2]


def ends_whole(head: bytes, tail: bytes) -> bool:
    """Whether the last bytes of a file are what its format ends with."""
    return tail[-8:-4] == b"IEND" if head[:1] == bytes([PNG_FIRST_BYTE]) else tail.endswith(b"\xff\xd9")
