"""Weights that come from another run: a checkpoint folder of ours, or an experiment folder of the original."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints, StoredState
from tfgan_suite.layers.network import Network
from tfgan_suite.lis import convert

BEST = "best"  # folder inside wts_dir with the best network


@dataclass(frozen=True)
class Origin:
    """One checkpoint of another run.

    Attributes:
        name: for messages.
        arrays: network kind -> its arrays in the original's layout; raises UserError if there is none.
        slots: network kind -> {variable name: RMSprop's mean square}, in our layout; empty if nothing is stored.
    """

    name: str
    arrays: Callable[[str], Any]
    slots: Callable[[str], dict]

    def fill(self, kind: str, network, tolerant: bool = False) -> None:
        """Loads a network.

        Args:
            tolerant: take the arrays that fit and leave the others.

        Raises:
            UserError: not there, or of another shape.
        """
        arrays = self.arrays(kind)
        if tolerant:
            shapes = network.shapes()
            fitting = {n: arrays[n] for n in arrays if n in shapes and np.shape(arrays[n]) == shapes[n]}
            Network.assign(network, fitting)
        else:
            network.assign(arrays)


def find(folder, which: str = "last") -> Origin:
    """The checkpoint `which` of a folder.

    Args:
        folder: `wts_dir` of a run of ours, or the original's folder with `net_archive`.
        which: 'best', 'last' or an iteration.

    Raises:
        UserError: no such folder or checkpoint.
    """
    if not folder:
        raise UserError("load_path: is not given; name the folder of a finished G-LIS run's checkpoints")
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (load_path); train a G-LIS run first, or give the folder of one")
    if (folder / convert.ARCHIVE).is_dir():
        return Origin(f"{folder}/{convert.ARCHIVE}/{which}", lambda kind: convert.network(folder, which, kind),
                      lambda kind: convert.square_averages(folder, which, kind))
    if which == BEST and (folder / BEST).is_dir():
        folder = folder / BEST
    return _ours(Checkpoints(folder), folder, which)


def _ours(files: Checkpoints, folder: Path, which: str) -> Origin:
    if which not in (BEST, "last") and whole(which) is None:
        raise UserError(f"net={which}: give best, last or an iteration")
    kinds = [kind for kind in ("g", "r") if files.numbers(kind)]
    if not kinds:
        raise UserError(f"{folder}: holds no checkpoint (iter_N.gmodel.npz); train the run that it belongs to first")
    number = int(which) if whole(which) is not None else files.newest(kinds[0])

    def arrays(kind):
        path = files.path(kind, number)
        if kind == "d" and not path.is_file():  # of D only the newest is kept
            path = files.path(kind, files.newest(kind) or number)
        return Archive(path)

    def slots(kind):
        path = files.path("state", number)
        if not path.is_file():
            return {}
        stored = StoredState(path)
        return {name.split("/", 2)[2]: stored[name] for name in stored if name.startswith(f"{kind}/") and name.count("/") >= 2}

    return Origin(f"{folder}/iter_{number}", arrays, slots)


def slot_names(system, kind: str) -> dict:
    """Variable name -> RMSprop's mean square of it, for one optimiser of a system."""
    optimizer = system.optimizers[kind]
    return {v.name.split(":")[0]: optimizer.slot("square_avg", v) for v in system.networks[kind].trainable_variables}


def start_from(system, folder, tolerant: bool) -> None:
    """Fills a fresh system's networks and optimisers.

    Args:
        tolerant: of G take only what fits, and not its optimiser (--load_tolerant).
    """
    origin = find(folder, "last")
    for kind, network in system.networks.items():
        loose = tolerant and kind == "g"
        origin.fill(kind, network, loose)
        stored = {} if loose else origin.slots(kind)
        for name, slot in slot_names(system, kind).items():
            if name in stored:
                slot.assign(stored[name].reshape(slot.shape))
