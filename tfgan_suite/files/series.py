"""A file of named series over the iterations, which a resumed run goes on with: lines
'iteration,name,value'."""
from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from tfgan_suite.files import archive


class SeriesFile:
    """The series of one file.

    Args:
        path: made when something is added.
        until: what the file holds of this iteration and later ones is dropped: the run will do it again.

    Attributes:
        series: name -> iteration -> value, all that the file holds.
    """

    def __init__(self, path: Path, until: int):
        self.path, self.series = path, {}
        rows = []
        if path.is_file():
            with open(path, newline="") as file:
                rows = [row for row in csv.reader(file) if len(row) == 3 and row[0].isdigit()
                        and int(row[0]) < until]
            archive.write_bytes(path, "".join(f"{','.join(row)}\n" for row in rows).encode())
        for iteration, name, value in rows:
            self.series.setdefault(name, {})[int(iteration)] = float(value)

    def add(self, rows: Iterable[tuple[int, str, float]]) -> None:
        """Appends (iteration, name, value)."""
        rows = list(rows)
        for iteration, name, value in rows:
            self.series.setdefault(name, {})[iteration] = value
        with open(self.path, "a") as file:
            file.writelines(f"{iteration},{name},{value}\n" for iteration, name, value in rows)
