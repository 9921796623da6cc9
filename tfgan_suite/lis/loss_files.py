"""The tables that a run writes at each test, `log/loss_N.npz`, and the original's `log/loss_N.pt`."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import torch
from tfgan_suite.files.archive import Archive

COLUMNS = {"dis": (0, 1), "dis-real": (0,), "dis-fake": (1,), "gen": (2,)}


def read(folder) -> list[tuple[int, np.ndarray, float]]:
    """(iteration, training losses [rows, 3], test loss) of each test, ascending.

    Raises:
        UserError: there is none, or a file is damaged.
    """
    found = {}
    for path in sorted(Path(folder).glob("log/loss_*")):
        match = re.fullmatch(r"loss_(\d+)\.(npz|pt)", path.name)
        if match:
            table = Archive(path) if match[2] == "npz" else torch.load(path)
            with reading(path, "holds no training_loss and test_loss"):
                found[int(match[1])] = _losses(table["training_loss"]), float(table["test_loss"])
    if not found:
        raise UserError(f"{folder}: holds no log/loss_N.npz; they are written at each test (--test_interval)")
    return [(iteration, *found[iteration]) for iteration in sorted(found)]


def _losses(table) -> np.ndarray:
    """float64 [rows, 3]."""
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] != 3 or table.dtype.kind not in "fiu":
        raise ValueError("training_loss is no table of three columns")
    return table.astype(np.float64)


def points(tables: list[tuple[int, np.ndarray, float]], kind: str, interval: int) -> tuple[np.ndarray, np.ndarray]:
    """The points of one line: (iterations, losses).

    Args:
        kind: 'test', or the training loss 'dis' (real + fake), 'dis-real', 'dis-fake' or 'gen'.
        interval: rows of which a point is the mean. A loss that did not occur, 0 in the table, is left out of the mean (the
            original counts it).
    """
    if kind == "test":
        return np.array([t[0] for t in tables]), np.array([t[2] for t in tables])
    xs, ys = [], []
    for iteration, rows, _ in tables:
        for j in range(len(rows) // interval):
            block = rows[j * interval:(j + 1) * interval, COLUMNS[kind]].astype(np.float64)
            present = (block != 0).sum(axis=0)
            if present.all():
                xs.append(iteration - len(rows) + (j + 1) * interval)
                ys.append((block.sum(axis=0) / present).sum())
    return np.array(xs, int), np.array(ys)
