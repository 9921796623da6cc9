"""Sheets of samples as `gan_64x64.py` lays them out."""
from __future__ import annotations

import math

import numpy as np

from tfgan_suite.data.prepare import stretch

__all__ = ["canvas", "shape", "stretch"]


def shape(n: int) -> tuple[int, int]:
    """(rows, columns): rows is the largest divisor of n that is not above its root."""
    rows = max(r for r in range(1, math.isqrt(n) + 1) if n % r == 0)
    return rows, n // rows


def canvas(images: np.ndarray) -> np.ndarray:
    """One sheet, row by row without borders.

    Args:
        images: [n, h, w, 3], grey [n, h, w], or square and flat [n, h*w]; integers in 0..255, or floats in 0..1.

    Returns:
        uint8 [rows*h, columns*w, 3], or [rows*h, columns*w] for grey ones.
    """
    if images.dtype.kind == "f":
        images = images * np.asarray(255.99, images.dtype)
    if images.ndim == 2:
        side = math.isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    (rows, columns), (h, w) = shape(len(images)), images.shape[1:3]
    cells = images.astype(np.uint8).reshape(rows, columns, h, w, -1).swapaxes(1, 2)
    return cells.reshape(rows * h, columns * w, *images.shape[3:])
