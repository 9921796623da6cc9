"""What a run reported, as lines of (iteration, value): its CSV export and the points of its plots.

A run of ours keeps it in `metrics.jsonl`; the original kept a pickle of its own classes in `*_state.pt`.
Beside it both write a table at each test, `log/loss_N.npz` or `log/loss_N.pt`.
"""
from __future__ import annotations

import bisect
import io
import re
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import jsonl, pickles, torch
from tfgan_suite.files.archive import Archive

MOST_POINTS = 500  # of one line in a plot
GROUPS = "loss-"  # with this begin the names of all groups
FIRST_PLOTTED = 100  # the first iterations are off the scale


class Line:
    """Values over iterations."""

    def __init__(self, xs=(), ys=()):
        self.x_list, self.y_list, self._last_count = list(xs), list(ys), 1

    def append(self, x: int, y: float, average: bool = False) -> None:
        """One more point. With `average`, values of one and the same x become their mean."""
        if average and self.x_list and self.x_list[-1] == x:
            n = self._last_count
            self.y_list[-1] = float(np.float32((self.y_list[-1] * n + y) / (n + 1)))
            self._last_count += 1
            return
        self.x_list.append(int(x))
        self.y_list.append(float(np.float32(y)))
        self._last_count = 1

    @property
    def xs(self) -> np.ndarray:
        """int32 [n]."""
        return np.array(self.x_list, np.int32)

    @property
    def ys(self) -> np.ndarray:
        """float32 [n]."""
        return np.array(self.y_list, np.float32)

    def reduced(self, start: int, end: int, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
        """The points with start <= x < end, averaged in blocks of int(count / most), each at its last x; a
        rest is a block."""
        inside = (self.xs >= start) & (self.xs < end)
        xs, ys = self.xs[inside], self.ys[inside]
        if not len(xs):
            return xs, ys
        block = max(1, int(len(xs) / most))
        first = np.arange(0, len(xs), block)
        means = np.add.reduceat(ys.astype(np.float64), first) / np.diff([*first, len(xs)])
        return xs[np.minimum(first + block, len(xs)) - 1], means.astype(np.float32)


class History:
    """Groups of lines, both in the order in which they were declared or came.

    Args:
        declared: 'group/line' of all lines that a system has, in order: columns and colours of a run do not
            depend on which loss occurred first.
    """

    def __init__(self, declared: tuple = ()):
        self.groups: dict[str, dict[str, Line]] = {}
        for name in declared:
            group, line = name.split("/", 1)
            self.groups.setdefault(group, {})[line] = Line()

    @property
    def empty(self) -> bool:
        """Whether it has no point."""
        return not any(line.x_list for _, line in self.lines())

    def forget(self, first: int) -> None:
        """Removes all points from iteration `first` on."""
        for _, line in self.lines():
            keep = bisect.bisect_left(line.x_list, first)
            del line.x_list[keep:], line.y_list[keep:]

    def append(self, group: str, line: str, x: int, y: float, average: bool = False) -> None:
        """Adds a point to a line, which is made if it is new."""
        self.groups.setdefault(group, {}).setdefault(line, Line()).append(x, y, average)

    def lines(self) -> list[tuple[str, Line]]:
        """('group_line', line) in order."""
        return [(f"{group}_{name}", line) for group, lines in self.groups.items() for name,
                line in lines.items()]

    def csv(self, start: int = 0, end: int = -1, subsample: int = 1, kernel_size: int = 101) -> str:
        """The table of all lines, smoothed.

        One row per iteration of any line; a line without a value there keeps its last one (0 before its
        first). A box filter of `kernel_size` rows smooths each column; beyond the ends it sees zeros.

        Args:
            start, end: rows start ... end - 1 are written; end < 0 for all.
            subsample: only rows divisible by it are written.

        Returns:
            Header `__index,{group}_{line},...` and rows, without a newline at the end.
        """
        lines = self.lines()
        index = np.unique(np.concatenate([np.zeros(0, np.int32), *(line.xs for _, line in lines)]))
        columns = [smooth(_carried(line, index), kernel_size) for _, line in lines]
        rows = range(max(0, start), len(index) if end < 0 else min(end, len(index)))
        text = [",".join(["__index", *(re.sub(r"[,\s\"']", "", name) for name, _ in lines)])]
        text += [",".join([str(index[i]), *(f"{column[i]:.4f}" for column in columns)]) for i in rows
                 if i % subsample == 0]
        return "\n".join(text)


def _carried(line: Line, index: np.ndarray) -> np.ndarray:
    """A line's last value at or before each x of `index`, 0 before its first; float64."""
    place = np.searchsorted(line.xs, index, side="right")
    return np.concatenate([[0.0], line.ys.astype(np.float64)])[place]


def smooth(values: np.ndarray, kernel_size: int) -> np.ndarray:
    """Mean over a centred window of `kernel_size` with zeros beyond the ends, of the same length."""
    if kernel_size <= 1 or not len(values):
        return values
    full = np.convolve(values, np.full(kernel_size, 1.0 / kernel_size))
    return full[(kernel_size - 1) // 2:][:len(values)]


def from_metrics(path, declared: tuple = ()) -> History:
    """The history of a run of ours, from its `metrics.jsonl`; the scalar `loss-x/y` is line y of group
    loss-x.

    After a resumed run the later report of an iteration counts. Values that did not occur (NaN) are left
    out.

    Raises:
        UserError: no such file, or not ours.
    """
    found: dict[tuple[str, str], dict[int, float]] = {}
    for iteration, entry in jsonl.read(path, "train the experiment first, or give its log folder as "
                                             "--log_dir"):
        for name, value in entry.items():
            if name.startswith(GROUPS) and "/" in name and np.isfinite(value):
                found.setdefault(tuple(name.split("/", 1)), {})[iteration] = value
    history = History(declared)
    for (group, line), values in found.items():
        for x in sorted(values):
            history.append(group, line, x, values[x])
    return history


CLASSES = {f"common.plotting.{name}": pickles.StandIn for name in ("History", "LineGroup", "Line")}
NAMES = {**pickles.PLAIN, **pickles.NUMPY, **CLASSES, "collections.OrderedDict": dict}


def from_original(path) -> History:
    """The history in one of the original's `*_state.pt` files.

    Raises:
        UserError: not such a file.
    """
    state = torch.load(path)
    data = state.get("history") if isinstance(state, dict) else None
    if data is None:
        raise UserError(f"{path}: holds no history; give a *_state.pt file")
    history = History()
    with reading(path, "its history cannot be read", "give another *_state.pt file"):
        data = data.encode("latin-1") if isinstance(data, str) else data
        stored = pickles.Reader(io.BytesIO(data), NAMES).load()
        for group, lines in stored.field("line_groups").items():
            for name, line in lines.field("lines").items():
                history.groups.setdefault(_name(group), {})[_name(name)] = _line(line)
    return history


def _name(value) -> str:
    if not isinstance(value, str):
        raise TypeError("a name is no text")
    return value


def _line(stored: pickles.StandIn) -> Line:
    """A line from the attributes of the original's."""
    n = int(stored.field("last_index")) + 1
    return Line(stored.field("xs").array()[:n].tolist(), stored.field("ys").array()[:n].tolist())


# -- the tables of the tests -----------------------------------------------------------------------------
COLUMNS = {"dis": (0, 1), "dis-real": (0,), "dis-fake": (1,), "gen": (2,)}


def read_tables(folder) -> list[tuple[int, np.ndarray, float]]:
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
        raise UserError(f"{folder}: holds no log/loss_N.npz; they are written at each test "
                        "(--test_interval)")
    return [(iteration, *found[iteration]) for iteration in sorted(found)]


def _losses(table) -> np.ndarray:
    """float64 [rows, 3]."""
    of_numbers = isinstance(table, np.ndarray) and table.dtype.kind in "fiu"
    if not of_numbers or table.ndim != 2 or table.shape[1] != 3:
        raise ValueError("training_loss is no table of three columns")
    return table.astype(np.float64)


def table_points(tables: list[tuple[int, np.ndarray, float]], kind: str,
                 interval: int) -> tuple[np.ndarray, np.ndarray]:
    """The points of one line: (iterations, losses).

    Args:
        kind: 'test', or the training loss 'dis' (real + fake), 'dis-real', 'dis-fake' or 'gen'.
        interval: rows of which a point is the mean. A loss that did not occur, 0 in the table, is left out
            of the mean (the original counts it).
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
