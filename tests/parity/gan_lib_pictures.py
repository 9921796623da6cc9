"""Sheets and preparations of `common/misc.py` and `common/data/ILSVRC2012.py`, for comparison with the
originals' files."""
from __future__ import annotations

import numpy as np
from PIL import Image

from tfgan_suite.data.prepare import stretch
from tfgan_suite.pictures.sheets import grid


def rows_of(n: int) -> int:
    """Rows of a sheet of n images: the largest divisor of n that is not above its root."""
    return next(r for r in range(int(np.sqrt(n)), 0, -1) if n % r == 0)


def sheet(images: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C] as one picture, row by row, without borders; the bytes are not changed."""
    rows = rows_of(len(images))
    return grid(images, rows, len(images) // rows)


def stretched_sheet(images: np.ndarray) -> np.ndarray:
    """The sheet as the original's `save_images` writes it: the darkest value becomes 0, the brightest 255.

    Args:
        images: ints [n, H, W, 3] or [n, H, W], or float64 in 0..1, of which 255.99 times the value is taken.
    """
    images = np.asarray(images)
    if images.dtype == np.float64:
        images = (255.99 * images).astype(np.uint8)
    n, h, w = images.shape[:3]
    rows = rows_of(n)
    columns = n // rows
    canvas = images.reshape(rows, columns, h, w, -1).swapaxes(1, 2).reshape(rows * h, columns * w, -1)
    stretched = stretch(canvas.astype(np.float64))
    return stretched[..., 0] if images.ndim == 3 else stretched


def stretching_resize(image: np.ndarray, size: int) -> np.ndarray:
    """The original's offline preparation of ImageNet: size x size whatever the shape, bicubic, contrast
    stretched.

    Args:
        image: uint8 [H, W] (grey), [H, W, 3] or [H, W, 4] (alpha is dropped).
    """
    colour = np.repeat(image[..., None], 3, -1) if image.ndim == 2 else image[..., :3]
    stretched = Image.fromarray(stretch(colour.astype(np.float64)))
    return np.asarray(stretched.resize((size, size), Image.BICUBIC))


def box_crop(image: np.ndarray, box) -> np.ndarray:
    """A square around a box (x, y, width, height): half side int(0.75 * the longer side), cut at the image's
    border."""
    x, y, w, h = (int(v) for v in box)
    half = int(0.75 * max(w, h))
    cx, cy = (2 * x + w) // 2, (2 * y + h) // 2
    return image[max(0, cy - half):cy + half, max(0, cx - half):cx + half]
