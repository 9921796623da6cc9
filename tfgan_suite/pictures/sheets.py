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


def draw_grid(cells: np.ndarray, rows: int | None = None, cols: int | None = None, border: int = 1) -> np.ndarray:
    """A sheet with black lines between its cells (`draw_grid` of aleju/gan-error-avoidance and of imgaug).

    Args:
        cells: uint8 [n, h, w, 3].
        rows, cols: with `rows`, as many columns as are needed; else with `cols`, as many rows; else a square.
        border: width of the lines; 0 for none.

    Returns:
        uint8 [rows * (h + border) + border, cols * (w + border) + border, 3].
    """
    n = len(cells)
    if rows is None and cols is None:
        rows = cols = math.ceil(math.sqrt(n))
    elif rows is not None:
        cols = math.ceil(n / rows)
    else:
        rows = math.ceil(n / cols)
    return grid(cells, rows, cols, border)


def torch_sheet(cells: np.ndarray, nrow: int, padding: int = 2) -> np.ndarray:
    """The sheet of torchvision's `save_image`: `nrow` images per row, or fewer if there are fewer."""
    return draw_grid(cells, cols=min(nrow, len(cells)), border=padding)


def side_by_side(*series: np.ndarray) -> np.ndarray:
    """Chains: the k-th images of all series beside each other, uint8 [n, h, len(series) * w, 3]."""
    return np.concatenate(series, axis=2)


def strip(cells: np.ndarray) -> np.ndarray:
    """All cells [n, h, w, 3] in one row, without lines."""
    return np.concatenate(list(cells), axis=1)
