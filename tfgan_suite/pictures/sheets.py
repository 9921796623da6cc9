"""Sheets: many images in one."""
from __future__ import annotations

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


def in_columns(classes: tuple, rows: int, cols: int) -> np.ndarray:
    """Labels int32 [rows * cols] of a sheet whose columns have these classes in turn."""
    return np.tile(np.resize(np.array(classes, np.int32), cols), rows)
