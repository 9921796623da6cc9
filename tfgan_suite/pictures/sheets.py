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


def draw_grid(cells: np.ndarray, rows: int | None = None, cols: int | None = None,
              border: int = 1) -> np.ndarray:
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


def divided(n: int) -> tuple[int, int]:
    """(rows, columns) of a full sheet of n images: rows is the largest divisor of n that is not above its
    root (tflib)."""
    rows = max(r for r in range(1, math.isqrt(n) + 1) if n % r == 0)
    return rows, n // rows


def images_per_row(n: int) -> int:
    """sqrt(n) for squares; else for n > 5 the largest divisor above 2 and up to sqrt(n); else 1
    (alenmora/ppgan)."""
    root = math.isqrt(n)
    if root * root == n:
        return root
    fitting = [i for i in range(3, root + 1) if n % i == 0] if n > 5 else []
    return max(fitting, default=1)


def spaced(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """All images, uint8 [n, H, W, C], on one sheet, five pixels apart, uint8 [h, w, 3].

    Args:
        columns: by default `images_per_row`.
    """
    columns = columns or images_per_row(len(images))
    return grid(images, -(-len(images) // columns), columns, border=5)


def shrunk(image: np.ndarray, times: int) -> np.ndarray:
    """uint8 [h, w, c] at 1/times of its size: means of squares; what is over at the right and below is cut
    off."""
    if times == 1:
        return image
    h, w, c = image.shape
    part = image[:h // times * times, :w // times * times].reshape(h // times, times, w // times, times, c)
    return np.rint(part.mean((1, 3))).astype(np.uint8)


def within(sheet: np.ndarray, height: int = 1080, width: int = 1920) -> tuple[np.ndarray, int]:
    """A sheet that is no larger than a screen, and to what part of its size it was shrunk."""
    times = max(-(-sheet.shape[0] // height), -(-sheet.shape[1] // width), 1)
    return shrunk(sheet, times), times


def in_columns(classes: tuple, rows: int, cols: int) -> np.ndarray:
    """Labels int32 [rows * cols] of a sheet whose columns have these classes in turn."""
    return np.tile(np.resize(np.array(classes, np.int32), cols), rows)
