"""Sheets: many images in one."""
from __future__ import annotations

import math

import numpy as np


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


def divided(n: int) -> tuple[int, int]:
    """(rows, columns) of a full sheet of n images: rows is the largest divisor of n that is not above its root (tflib)."""
    rows = max(r for r in range(1, math.isqrt(n) + 1) if n % r == 0)
    return rows, n // rows
