"""Files of a run's weights: `iter_N.<kind>model.npz` as in ayanc/rpgan, plus `iter_N.state.npz`.

Plain NumPy archives (float32, uncompressed, the original's array names), written to a temporary file and renamed.
"""
from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files.archive import Archive, make_folder, write


class Checkpoints:
    """The checkpoints of one folder.

    Args:
        folder: `wts_dir`.
        kinds: network names in the order of saving, `g` first.
    """

    def __init__(self, folder, kinds=("g", "d")):
        self.folder, self.kinds = Path(folder), tuple(kinds)

    def path(self, kind: str, number) -> Path:
        """File of network `kind` ('g', 'd', 'bg', ...) or of the 'state' at iteration `number`."""
        return self.folder / (f"iter_{number}.state.npz" if kind == "state" else f"iter_{number}.{kind}model.npz")

    def numbers(self, kind: str) -> list[int]:
        """Iterations that have a file of this kind, ascending; names without a plain number are ignored."""
        pattern = re.compile(re.escape(self.path(kind, "@").name).replace("@", r"(\d+)"))
        if not self.folder.is_dir():
            return []
        return sorted(int(m[1]) for m in map(pattern.fullmatch, os.listdir(self.folder)) if m)

    def newest(self, kind: str) -> int | None:
        """The largest iteration with a file of this kind, or None."""
        numbers = self.numbers(kind)
        return numbers[-1] if numbers else None

    def complete(self) -> list[int]:
        """Iterations that have the state and every network, ascending."""
        sets = [set(self.numbers(kind)) for kind in (*self.kinds, "state")]
        return sorted(set.intersection(*sets))

    def clean(self, kind: str, keep=lambda number: False, last: int = 1) -> None:
        """Deletes files of this kind except the newest `last` and those whose number `keep` accepts."""
        for number in self.numbers(kind)[:-last]:
            if not keep(number):
                self.path(kind, number).unlink()

    def save(self, number: int, networks: Mapping, state: Mapping, about: dict, keep, kept=()) -> list[Path]:
        """Writes all files of iteration `number`, then deletes what the cleaning rule no longer keeps.

        Args:
            networks: kind -> `Network`.
            state: name -> variable.
            about: stored in the state file as JSON (iteration, fixed parameters, versions).
            keep: which older files of the first kind (G) and of the `kept` kinds stay; of the others only the newest.

        Raises:
            UserError: something cannot be written; the older checkpoints are intact.
        """
        written = []
        make_folder(self.folder)
        try:
            for kind in self.kinds:
                write(self.path(kind, number), networks[kind].arrays())
                written.append(self.path(kind, number))
            write(self.path("state", number), self._state_items(state, about))
        except UserError:
            for path in written:  # a partial set is of no use and fills the disk
                path.unlink()
            raise
        for kind in (*self.kinds, "state"):
            self.clean(kind, keep if kind in (self.kinds[0], *kept) else lambda n: False)
        return written

    @staticmethod
    def _state_items(state: Mapping, about: dict):
        yield "about", np.array(json.dumps(about, sort_keys=True))
        for name, variable in state.items():
            yield name, variable.numpy()

    def about(self, number: int) -> dict:
        """What the state file of iteration `number` says of its run."""
        archive = Archive(self.path("state", number))
        if "about" not in archive:
            raise UserError(f"{archive.path}: is not a state file of this suite")
        with reading(archive.path, "is not a state file of this suite"):
            about = json.loads(archive.text("about"))
            if not isinstance(about, dict) or not isinstance(about.get("fixed", {}), dict):
                raise ValueError("its entry 'about' is no description of a run")
            return about

    def load_state(self, number: int, state: Mapping) -> None:
        """Restores all state variables.

        Raises:
            UserError: the file's names or shapes are not those of this run.
        """
        archive = Archive(self.path("state", number))
        if set(archive) - {"about"} != set(state):
            odd = sorted((set(archive) - {"about"}) ^ set(state))[0]
            raise UserError(f"{archive.path}: does not fit this experiment (first difference: '{odd}'); "
                            f"use another wts_dir, or delete the file to start the optimisers afresh")
        for name, variable in state.items():
            value = archive[name]
            if value.shape != tuple(variable.shape):
                raise UserError(f"{archive.path}: '{name}' has shape {value.shape}, this run needs {tuple(variable.shape)}")
            variable.assign(value)
