"""Files of a run's weights: `iter_N.<kind>model.npz` as in ayanc/rpgan, plus `iter_N.state.npz`.

Plain NumPy archives (float32, uncompressed, the original's array names). A checkpoint of ours becomes visible
in one step: all files are written under temporary names, then renamed, the state first and G last. So a G
    with a state beside it has a whole
checkpoint around it, and network files without a state are the original program's (or what the user made of
ours).
"""
from __future__ import annotations

import abc
import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive, Pieces, make_folder

# the zip comment of the network files that training wrote: no array, so the original reads them
MARK = b"tfgan_suite"
NUMBER = "(0|[1-9][0-9]{0,17})"  # as this suite and the originals write it, so that it names its file
INDEX = re.compile(r"^([^/]+)/\d{4}/")
FILE = re.compile(rf"iter_{NUMBER}\.(state|\w+model)\.npz")
PARTIAL = re.compile(r"(iter_[0-9]+\.\w+\.npz|filts\.npz|train\.lock)\..*partial")
ASIDE = "aside"
_ABOUT = {"fixed": dict, "parameters": dict, "history": list, "planned": (int, float)}


class Sliced(abc.ABC):
    """A large state variable that is written and read row by row.

    Attributes:
        shape, dtype: of the whole; `dtype` as TensorFlow has it.
    """

    shape: tuple
    dtype: Any

    @abc.abstractmethod
    def rows(self) -> Iterator[np.ndarray]:
        """Its rows, in order."""

    @abc.abstractmethod
    def assign(self, rows: Iterator[np.ndarray]) -> None:
        """Sets its rows, in order."""

    def numpy(self) -> np.ndarray:
        """The whole."""
        return np.stack(list(self.rows()))


def never(number: int) -> bool:
    """Keeps nothing."""
    return False


@dataclass(frozen=True)
class Kept:
    """Which older checkpoints stay when a newer one is written.

    Attributes:
        sampling: iterations whose networks for sampling stay.
        whole: iterations of which everything stays, so that training can go back to them.
        kinds: the networks that sampling needs, beside the first kind.
    """

    sampling: Callable[[int], bool] = never
    whole: Callable[[int], bool] = never
    kinds: tuple = ()


def superseded(numbers: list[int], keep: Callable[[int], bool], last: int = 1) -> list[int]:
    """ayanc/rpgan's rule: of ascending `numbers` all go but the newest `last` and those that `keep`
    accepts."""
    return [number for number in numbers[:-last] if not keep(number)]


def numbered(names: Iterable[str]) -> list[str]:
    """The names, a repeated one with '#2', '#3', ... behind it."""
    seen: Counter = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return result


class Checkpoints:
    """The checkpoints of one folder.

    Args:
        folder: `wts_dir`.
        kinds: network names in the order of saving, `g` first.
        copies: kinds that a whole checkpoint may lack, since they can be made from another (an averaged G).
    """

    def __init__(self, folder, kinds=("g", "d"), copies=()):
        self.folder, self.kinds, self.copies = Path(folder), tuple(kinds), frozenset(copies)

    # -- what there is ---------------------------------------------------------------------------------------
    def path(self, kind: str, number) -> Path:
        """File of network `kind` ('g', 'd', 'bg', ...) or of the 'state' at iteration `number`."""
        return self.folder / (f"iter_{number}.state.npz"
                              if kind == "state" else f"iter_{number}.{kind}model.npz")

    def _names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        with os.scandir(self.folder) as entries:
            return [entry.name for entry in entries if not entry.is_dir()]

    def numbers(self, kind: str) -> list[int]:
        """Iterations that have a file of this kind, ascending; names without a plain number are ignored."""
        wanted = kind if kind == "state" else f"{kind}model"
        return sorted(int(m[1]) for m in map(FILE.fullmatch, self._names()) if m and m[2] == wanted)

    def after(self, number: int) -> list[int]:
        """Iterations above `number` of which there is any file, ascending."""
        return sorted({int(m[1]) for m in map(FILE.fullmatch, self._names()) if m and int(m[1]) > number})

    def newest(self, kind: str) -> int | None:
        """The largest iteration with a file of this kind, or None."""
        numbers = self.numbers(kind)
        return numbers[-1] if numbers else None

    def _with_networks(self) -> set[int]:
        sets = [set(self.numbers(kind)) for kind in self.kinds if kind not in self.copies]
        return set.intersection(*sets)

    def complete(self) -> list[int]:
        """Iterations that training can go on from: the state and every network are there; ascending."""
        found = self._with_networks() & set(self.numbers("state"))
        return sorted(number for number in found if not self._is_snapshot(number))

    def pairs(self) -> list[int]:
        """Iterations with every network and no state, as the original programs write them; ascending."""
        return sorted(self._with_networks() - set(self.numbers("state")))

    def _is_snapshot(self, number: int) -> bool:
        """Whether the checkpoint was written for sampling only; a state file that cannot be read is no such
        thing."""
        with contextlib.suppress(UserError):
            return not self.about(number).get("whole", True)
        return False

    def about(self, number: int) -> dict:
        """What the state file of iteration `number` says of its run."""
        found = Archive(self.path("state", number))
        with reading(found.path, "is not a state file of this suite",
                     "delete it or put a good copy in its place"):
            about = json.loads(found.text("about"))
            if not isinstance(about, dict) or any(name in about and not isinstance(about[name], kind)
                                                  for name, kind in _ABOUT.items()):
                raise ValueError("its entry 'about' is no description of a run")
            return about

    # -- writing ---------------------------------------------------------------------------------------------
    def save(self, number: int, networks: Mapping, state: Mapping, about: dict, kept: Kept = Kept(),
             whole: bool = True,
             newer: Iterable[int] = ()) -> list[Path]:
        """Writes all files of iteration `number` in one step, then deletes what the cleaning rule no longer
        keeps.

        Whatever interrupts it, the older checkpoints are intact and the new one is there or not there.

        Args:
            networks: kind -> `Network`.
            state: name -> variable.
            about: stored in the state file as JSON (iteration, parameters, versions).
            kept: which older checkpoints stay.
            whole: False writes only what sampling needs.
            newer: iterations that are no longer part of the run: their files are moved aside first.

        Returns:
            The files of the networks.

        Raises:
            UserError: something cannot be written.
        """
        make_folder(self.folder)
        kinds = self.kinds if whole else tuple(k for k in self.kinds if k == self.kinds[0] or k in kept.kinds)
        items = {kind: networks[kind].arrays() for kind in kinds}
        items["state"] = self._state_items(state if whole else {}, {**about, "whole": whole})
        self._write(number, items, MARK, newer)
        self._clean(number, kept, whole)
        return [self.path(kind, number) for kind in kinds]

    def put(self, number: int, arrays: Mapping, about: dict) -> list[Path]:
        """Writes a checkpoint that comes from elsewhere, in one step; training will never delete it.

        Args:
            arrays: kind ('state' too) -> mapping name -> array.
            about: of the state file, where there is one.

        Raises:
            UserError: it cannot be written, or training has written one of that iteration here.
        """
        for kind in arrays:
            if self.path(kind, number).is_file() and self._is_ours(kind, number):
                raise UserError(f"{self.path(kind, number)}: was written by a training run; give another "
                                "--wts_dir (--tag=NAME) or another ITERATION")
        make_folder(self.folder)
        items = {kind: dict(arrays[kind]).items() for kind in sorted(arrays, key=self._order)}
        if "state" in items:
            items["state"] = {"about": np.array(json.dumps(about, sort_keys=True)), **arrays["state"]}.items()
        self._write(number, items, b"", ())
        return [self.path(kind, number) for kind in items]

    def _order(self, kind: str) -> tuple:
        return (kind == "state", kind not in self.kinds, self.kinds.index(kind) if kind in self.kinds else 0)

    def _write(self, number: int, items: Mapping, mark: bytes, newer: Iterable[int]) -> None:
        """Writes the files of a checkpoint: `items` has kind -> pairs (name, array), G first and the state
        last."""
        paths = {kind: self.path(kind, number) for kind in items}
        partials = {kind: archive.partial_of(path) for kind, path in paths.items()}
        try:
            for kind, arrays in items.items():
                archive.prepare(partials[kind], paths[kind], arrays, b"" if kind == "state" else mark)
            self.set_aside(newer)
            self._publish([(partials[kind], paths[kind]) for kind in reversed(items)])
        finally:
            for partial in partials.values():
                archive.remove(partial)

    @staticmethod
    def _state_items(state: Mapping, about: dict):
        yield "about", np.array(json.dumps(about, sort_keys=True))
        for name, variable in state.items():
            kind = variable.dtype.as_numpy_dtype
            yield name, (Pieces(tuple(variable.shape), np.dtype(kind), variable.rows())
                         if isinstance(variable, Sliced) else variable.numpy())

    def _publish(self, renames: list) -> None:
        """Renames the state first and G last; undone if anything interrupts it."""
        begun: list[Path] = []
        try:
            for partial, path in renames:
                if path == renames[-1][1]:
                    archive.sync_folder(self.folder)
                begun.insert(0, path)
                archive.rename(partial, path)
            archive.sync_folder(self.folder)
        except BaseException:
            for path in begun:
                archive.remove(path)
            raise

    def _clean(self, newest: int, kept: Kept, whole: bool) -> None:
        """Deletes older files that training wrote and that need not stay.

        Of each checkpoint the state goes last: it tells that the other files are ours.
        """
        sampling = {self.kinds[0], *kept.kinds}
        older = sorted({int(m[1]) for m in map(FILE.fullmatch, self._names()) if m and int(m[1]) < newest})
        for number in superseded([*older, newest], kept.whole):
            if not whole and not self._is_snapshot(number):
                continue  # training can go on from there, and not yet from the newest
            for kind in (*self.kinds, "state"):
                stays = (kind in sampling or not whole) and kept.sampling(number)
                if not stays and self.path(kind, number).is_file() and self._is_ours(kind, number):
                    archive.remove(self.path(kind, number))

    def _is_ours(self, kind: str, number: int) -> bool:
        """Whether training wrote this file: not the original program, nor `tools/convert.py`."""
        if kind != "state" and archive.comment(self.path(kind, number)) == MARK:
            return True
        with contextlib.suppress(UserError):
            return "experiment" in self.about(number)
        return False

    def set_aside(self, numbers: Iterable[int]) -> Path | None:
        """Moves all files of these iterations to a new folder `aside` in this one, G first; returns it.

        Raises:
            UserError: they cannot be moved.
        """
        wanted = set(numbers)
        names = [m[0] for m in map(FILE.fullmatch, self._names()) if m and int(m[1]) in wanted]
        if not names:
            return None
        folders = (self.folder / (ASIDE if i == 1 else f"{ASIDE}-{i}") for i in range(1, 10**6))
        target = next(folder for folder in folders if not os.path.lexists(folder))
        make_folder(target)
        for name in sorted(names, key=lambda name: (".gmodel" not in name, name)):
            archive.rename(self.folder / name, target / name)
        return target

    def remove_partials(self) -> list[Path]:
        """Deletes the temporary files of runs that died while they wrote; only for the one who holds the
        folder's lock."""
        left = [self.folder / name for name in self._names() if PARTIAL.fullmatch(name)]
        for path in left:
            archive.remove(path)
        return left

    # -- reading ---------------------------------------------------------------------------------------------
    def load_state(self, number: int, state: Mapping) -> tuple[list[str], list[str]]:
        """Restores the state variables that the file of iteration `number` has.

        Returns:
            (names of variables that the file lacks or has in another shape, names in the file that nothing
            here bears).
        """
        stored, afresh = StoredState(self.path("state", number)), []
        for name, variable in state.items():
            found = stored.pieces(name) if name in stored else None
            if (
                found is None
                or found.shape != tuple(variable.shape)
                or found.dtype != variable.dtype.as_numpy_dtype
            ):
                afresh.append(name)
            else:
                variable.assign(found.rows if isinstance(variable, Sliced) else stored[name])
        return afresh, sorted(set(stored) - set(state))


class StoredState(Mapping):
    """The arrays of a state file by the names of `System.state`, in whatever form the file has them.

    Files of earlier versions have a running index in the names of the optimisers' variables: `g/0003/m/c1_w`
    is `g/m/c1_w`.
    """

    def __init__(self, path):
        self._archive = Archive(path)
        self.path = self._archive.path
        names = [name for name in self._archive if name != "about"]
        if any(INDEX.match(name) for name in names):
            names.sort()  # by the index
        self._stored = dict(zip(numbered(INDEX.sub(r"\1/", name) for name in names), names))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._archive[self._stored[name]]

    def __contains__(self, name):
        return name in self._stored

    def pieces(self, name: str) -> Pieces:
        """An array, row by row."""
        return self._archive.pieces(self._stored[name])

    def __iter__(self):
        return iter(self._stored)

    def __len__(self):
        return len(self._stored)
