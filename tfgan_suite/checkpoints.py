"""Files of a run's weights: `iter_N.<kind>model.npz` as in ayanc/rpgan, plus `iter_N.state.npz`.

Plain NumPy archives (float32, uncompressed, the original's array names), written to a temporary file and renamed.
"""
from __future__ import annotations

import contextlib
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError


class Archive(Mapping):
    """A read-only `.npz` file whose arrays are read when asked for. Nothing in it is ever unpickled.

    Raises:
        UserError: missing, truncated, corrupt or pickled; on opening or on reading an array.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._file = np.load(self.path, allow_pickle=False)
            if not isinstance(self._file, np.lib.npyio.NpzFile):
                raise ValueError("not an .npz archive")
            self._names = list(self._file.files)
        except FileNotFoundError:
            raise UserError(f"{self.path}: no such file") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self._broken(error) from error

    def _broken(self, error) -> UserError:
        reason = "it holds pickled objects" if "pickle" in str(error) else "truncated or not an .npz archive"
        return UserError(f"{self.path}: cannot be read: {reason}; delete it or put a good copy in its place")

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        try:
            return self._file[name]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
            raise self._broken(error) from error

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)


def write(path, items: Iterable[tuple[str, np.ndarray]]) -> None:
    """Writes an uncompressed `.npz` array by array, under a temporary name first.

    Raises:
        UserError: it cannot be written; an older file of that name is intact.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in items:
                with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"{path}: cannot write: {error.strerror or error}; older checkpoints are intact") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def make_folder(folder) -> None:
    """Makes a folder and its parents.

    Raises:
        UserError: it cannot be made, or not be written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot make this folder: {error.strerror}; give another one") from error
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder}: this folder is not writable; give another one")


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
        return json.loads(str(archive["about"]))

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
