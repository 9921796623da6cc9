"""The log files of `gan_64x64.py`: `log.pkl` and a curve per series, and its console line. Written in the
run's log folder."""
from __future__ import annotations

import csv
import pickle
import time
from pathlib import Path

import numpy as np

from tfgan_suite.experiment import whole
from tfgan_suite.files import archive
from tfgan_suite.pictures import curves

WINDOW = 200  # iterations between two flushes, after the first few
FIRST = 5  # iterations that are flushed one by one
SERIES = ("train disc cost", "time", "dev disc cost")


def flushed_before(done: int) -> int:
    """How many iterations earlier flushes have written, when `done` are done."""
    if done <= FIRST:
        return done - 1
    return max((done - 1) // WINDOW * WINDOW, FIRST)


class Curves:
    """History of D's cost in training and validation and of the seconds per iteration.

    It survives a stop: `log.csv` (iteration, series, value) is read back by the next process, which drops
        what it will redo.
    `log.pkl` holds the same for readers of the original's file: a dict series -> dict iteration -> value.

    Args:
        system: a `JSRegGan64` whose state has been restored.
    """

    def __init__(self, system):
        self.system = system
        self._series: dict[str, dict[int, float]] | None = None
        self._done = int(system.optimizers["d"].iterations.numpy()) // system.disc_steps
        self._since = time.perf_counter()
        self._dev: tuple[int, float] | None = None

    def validation(self, done: int, host) -> dict[str, float]:
        """Event: D's cost on the validation part."""
        began = time.perf_counter()
        cost = self.system.validation_cost(host.source.validation, done // self.system.params.dev_every - 1,
                                           done - 1)
        self._dev = done - 1, cost
        self._since += time.perf_counter() - began
        return {"dev disc cost": cost}

    def flush(self, done: int, host) -> dict[str, float]:
        """Event: writes the files and the console line for the iterations since the last flush."""
        folder, last = Path(host.log_dir), done - 1
        if self._series is None:
            self._series = self._read(folder / "log.csv", flushed_before(done))
        costs = {i: np.float32(self.system.history.numpy()[i % WINDOW])
                 for i in range(flushed_before(done), done)}
        seconds = (time.perf_counter() - self._since) / max(done - self._done, 1)
        new = {"train disc cost": costs, "time": {last: seconds}}
        if self._dev is not None:
            new["dev disc cost"] = {self._dev[0]: np.float32(self._dev[1])}
        for name, values in new.items():
            self._series.setdefault(name, {}).update(values)
            archive.write_bytes(folder / f"{name.replace(' ', '_')}.jpg",
                                curves.curve(list(self._series[name].items()), name, "jpg"))
        self._append(folder / "log.csv", new)
        archive.write_bytes(folder / "log.pkl", pickle.dumps(self._series, pickle.HIGHEST_PROTOCOL))
        means = [f"{name}\t{np.mean(list(new[name].values()))}" for name in SERIES if name in new]
        host.line("\t".join([f"iter {last}", *means]))
        self._done, self._since, self._dev = done, time.perf_counter(), None
        return {"time": seconds}

    @staticmethod
    def _read(path: Path, until: int) -> dict[str, dict[int, float]]:
        """The series of an earlier process before iteration `until`; rewrites the file without the rest."""
        rows = []
        if path.is_file():
            with open(path, newline="") as file:
                known = (row for row in csv.reader(file) if len(row) == 3 and whole(row[0]) is not None)
                rows = [row for row in known if int(row[0]) < until]
        archive.write_bytes(path, "".join(f"{','.join(row)}\n" for row in rows).encode())
        series: dict[str, dict[int, float]] = {}
        for iteration, name, value in rows:
            series.setdefault(name,
                              {})[int(iteration)] = np.float32(value) if name != "time" else float(value)
        return series

    @staticmethod
    def _append(path: Path, new: dict[str, dict[int, float]]) -> None:
        with open(path, "a") as file:
            file.writelines(f"{i},{name},{value}\n" for name, values in new.items() for i,
                            value in values.items())
