"""Sheets and strips of samples, and the codes that they are made from.

Pictures are uint8 [H, W, 3]; "counts" are numbers of executed LIS modules, 0 ... R.
"""
from __future__ import annotations

import math

import numpy as np

from tfgan_suite.pictures import sheets

STEPS = 8  # from one code to the other in an interpolation


def to_bytes(x: np.ndarray, output_scale: bool = False) -> np.ndarray:
    """Images in [0, 1] as bytes, truncated.

    Args:
        output_scale: write x * 2 - 1 instead (the original's --output_scale, made for an older torchvision). What lies below
            zero is black; in the original it wraps around.
    """
    x = np.asarray(x, np.float32)
    return np.clip((x * 2 - 1 if output_scale else x) * np.float32(255.0), 0, 255).astype(np.uint8)


def draw_grid(cells: np.ndarray, rows: int | None = None, cols: int | None = None, border: int = 1) -> np.ndarray:
    """A sheet with black lines between its cells.

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
    return sheets.grid(cells, rows, cols, border)


def torch_sheet(cells: np.ndarray, nrow: int, padding: int = 2) -> np.ndarray:
    """The sheet of torchvision's `save_image`: `nrow` images per row, or fewer if there are fewer."""
    return draw_grid(cells, cols=min(nrow, len(cells)), border=padding)


def side_by_side(*series: np.ndarray) -> np.ndarray:
    """Chains: the k-th images of all series beside each other, uint8 [n, h, len(series) * w, 3]."""
    return np.concatenate(series, axis=2)


def strip(cells: np.ndarray) -> np.ndarray:
    """All cells in one row, without lines."""
    return np.concatenate(list(cells), axis=1)


def interpolate(a: np.ndarray, b: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Codes of an interpolation, float32 [steps + 2, code]: a, then a + j (b - a) / steps for j = 0 ... steps - 1, then b.

    The first code comes twice, as in the original.
    """
    part = np.arange(steps, dtype=np.float32)[:, None] / np.float32(steps)
    return np.concatenate([a[None], a + part * (b - a), b[None]]).astype(np.float32)


def perturb(code: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The code itself, then the code plus the noise rows from the second on, float32 [n, code].

    The original puts the code into the first noise row, so that its first picture shows twice the code.
    """
    return np.concatenate([code[None], code + noise[1:]]).astype(np.float32)
