"""Weights that come from elsewhere: of a run of ours or of an experiment of the original; opening trained
networks for sampling and plots."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np

from tfgan_suite import registry
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters, whole
from tfgan_suite.files import torch
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints, StoredState
from tfgan_suite.layers.network import Network
from tfgan_suite.lis import convert
from tfgan_suite.lis.parameters import SAVE_PATH
from tfgan_suite.lis.samples import Sampler
from tfgan_suite.training import runs

BEST = "best"  # folder inside wts_dir with the best network
MODELS = "models"  # folder of the checkpoints inside --save_path


@dataclass(frozen=True)
class Origin:
    """One checkpoint of another run.

    Attributes:
        name: for messages.
        arrays: network kind -> its arrays in the original's layout; raises UserError if there is none.
        slots: network kind -> {variable name: RMSprop's mean square}, in our layout; empty if nothing is
            stored.
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


def place(folder) -> Path:
    """Where the checkpoints of a folder are: in it, or in its `models` where it is a run's --save_path."""
    folder = Path(folder)
    inside = folder / MODELS
    here = (folder / convert.ARCHIVE).is_dir() or any(Checkpoints(folder).numbers(kind)
                                                      for kind in ("g", "r"))
    return inside if inside.is_dir() and not here else folder


def find(folder, which: str = "last") -> Origin:
    """The checkpoint `which` of a folder.

    Args:
        folder: `wts_dir` or --save_path of a run of ours, or the original's folder with `net_archive`.
        which: 'best', 'last' or an iteration.

    Raises:
        UserError: no such folder or checkpoint.
    """
    if not folder:
        raise UserError("load_path: is not given; name the folder of a finished G-LIS run's checkpoints")
    folder = place(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (load_path); train a G-LIS run first, or give the "
                        "folder of one")
    if (folder / convert.ARCHIVE).is_dir():
        def prefix(kind):
            return (convert.newest(folder, kind) if which == "last" else None) or which

        return Origin(f"{folder}/{convert.ARCHIVE}/{which}",
                      lambda kind: convert.network(folder, prefix(kind), kind),
                      lambda kind: convert.square_averages(folder, prefix(kind), kind))
    if which == BEST:
        if Checkpoints(folder / BEST).newest("g") is None:
            raise UserError(f"{folder}: holds no best network (no running test has been yet); give "
                            "--net=last or an iteration")
        folder = folder / BEST
    return _ours(Checkpoints(folder), folder, which)


def _ours(files: Checkpoints, folder: Path, which: str) -> Origin:
    if which not in (BEST, "last") and whole(which) is None:
        raise UserError(f"net={which}: give best, last or an iteration")
    kinds = [kind for kind in ("g", "r") if files.numbers(kind)]
    if not kinds:
        raise UserError(f"{folder}: holds no checkpoint (iter_N.gmodel.npz); train the run that it "
                        "belongs to first")
    number = int(which) if whole(which) is not None else files.newest(kinds[0])

    def arrays(kind):
        path = files.path(kind, number)
        if not path.is_file():
            there = ", ".join(map(str, files.numbers(kind))) or "none"
            raise UserError(f"{path}: no such file; of {kind.upper()} there are the iterations {there} (of "
                            "older checkpoints only G stays, unless --keep_every asks for more)")
        return Archive(path)

    def slots(kind):
        path = files.path("state", number)
        if not path.is_file():
            return {}
        stored = StoredState(path)
        return {name.split("/", 2)[2]: stored[name] for name in stored if name.startswith(f"{kind}/")
                and name.count("/") >= 2}

    return Origin(f"{folder}/iter_{number}", arrays, slots)


# -- for sampling and plots ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Opened:
    """Networks with their weights.

    Attributes:
        system: the system that they belong to.
        g: the generator.
        r: the reverser, or None.
        sampler: both, on any number of codes; None for R-iterative, whose G has no modules.
    """

    system: Any
    g: Any
    r: Any
    sampler: Sampler | None


def given_folder(params: Parameters) -> str:
    """The --load_path of a tool's command line: weights of another run than the experiment's own; '' if none.

    Of R-separate load_path is a parameter like others: its G.
    """
    trained = params.system in SAVE_PATH and params.system != "lis_separate"
    return params.load_path if trained and params.sources.get("load_path") == "command line" else ""


def g_file(folder, number: int) -> Path:
    """The file with G of one iteration, of ours or of the original."""
    folder = place(folder)
    if (folder / convert.ARCHIVE).is_dir():
        return folder / convert.ARCHIVE / f"{number}_gen.pt"
    return Checkpoints(folder).path("g", number)


def numbers(folder) -> list[int]:
    """Iterations of G's checkpoints in a folder, of ours or of the original; ascending."""
    folder = place(folder)
    if (folder / convert.ARCHIVE).is_dir():
        return sorted(int(p) for p in convert.prefixes(folder) if whole(p) is not None)
    return Checkpoints(folder).numbers("g")


def fill(network, kind: str, path, which: str = "last") -> None:
    """Loads a network from a file (`iter_N.gmodel.npz`, or the original's `N_gen.pt`) or from a checkpoint of
    a folder (see `find`).

    Args:
        which: checkpoint of a folder.

    Raises:
        UserError: not there, or of other sizes or another number of LIS modules.
    """
    path = Path(path)
    if path.suffix == ".npz":
        arrays = Archive(path)
    elif path.suffix == ".pt":
        found = torch.arrays_of(torch.load(path), path, "give a file such as net_archive/5000_gen.pt")
        arrays = {name: array for name, array in found.items() if not name.endswith(convert.BUFFERS[-1])}
    else:
        arrays = find(path, which).arrays(kind)
    missing = [name for name in network.shapes() if name not in arrays
               and not name.startswith("lis_layers.")]
    if missing:
        raise UserError(f"{path}: lacks '{missing[0]}'; is it of another experiment, or of another --norm?")
    network.assign(arrays)


def open_networks(params: Parameters, path_g: str = "", path_r: str = "", iteration=None,
                  train_mode: bool = False) -> Opened:
    """G and, where there is one, R.

    Args:
        params: of a LIS experiment.
        path_g, path_r: where their weights are, if not in the experiment's wts_dir (or the --load_path of the
            command line): a file or a folder, see `fill`.
        iteration: of the checkpoint; by default the newest.
        train_mode: the sampler's batch norm uses the statistics of each batch.

    Raises:
        UserError: not a LIS experiment, no weights, or weights of other sizes.
    """
    if params.system not in SAVE_PATH:
        raise UserError(f"{params.name}: is an experiment of {params.system}; give one of glis, "
                        "lis_separate or lis_iterative")
    if params.system == "lis_separate" and path_g:
        params, path_g = params.replace(load_path=path_g), ""
    folder = given_folder(params)
    path_g = path_g or folder
    path_r = path_r or (folder if params.system == "lis_iterative" else "")
    given = {kind: path for kind, path in (("g", path_g), ("r", path_r)) if path}
    needed = registry.system_class(params.system).sampling
    if set(needed) <= set(given):
        system = runs.build(params, training=False)
    else:
        system, _ = runs.open_sampler(params, iteration)
    g = system.g_lis
    r = system.networks.get("r")
    if r is None and path_r:
        r = system.new_reverser()
    for kind, network in (("g", g), ("r", r)):
        if kind in given:
            fill(network, kind, given[kind], "last" if iteration is None else str(iteration))
    sampler = None
    if system.learned:
        sampler = Sampler(g, r, params.r_iterations, params.code_size, params.batch_size, train_mode)
    return Opened(system, g, r, sampler)
