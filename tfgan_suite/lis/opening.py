"""Opening the trained networks of a LIS run for sampling and plots."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfgan_suite import registry
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters
from tfgan_suite.files import torch
from tfgan_suite.files.archive import Archive
from tfgan_suite.lis import origins
from tfgan_suite.lis.convert import BUFFERS
from tfgan_suite.lis.samples import Sampler
from tfgan_suite.training import runs

LEARNED = ("glis", "lis_separate")  # systems whose G has LIS modules


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


def fill(network, kind: str, path) -> None:
    """Loads a network from a file (`iter_N.gmodel.npz`, or the original's `N_gen.pt`) or from the newest checkpoint of a
    folder (a `wts_dir`, or an experiment of the original).

    Raises:
        UserError: not there, or of other sizes or another number of LIS modules.
    """
    path = Path(path)
    if path.suffix == ".npz":
        arrays = Archive(path)
    elif path.suffix == ".pt":
        found = torch.arrays_of(torch.load(path), path, "give a file such as net_archive/5000_gen.pt")
        arrays = {name: array for name, array in found.items() if not name.endswith(BUFFERS[-1])}
    else:
        arrays = origins.find(path).arrays(kind)
    missing = [name for name in network.shapes() if name not in arrays and not name.startswith("lis_layers.")]
    if missing:
        raise UserError(f"{path}: lacks '{missing[0]}'; is it of another experiment, or of another --norm?")
    network.assign(arrays)


def open_networks(params: Parameters, path_g: str = "", path_r: str = "", iteration=None, train_mode: bool = False) -> Opened:
    """G and, where there is one, R.

    Args:
        params: of a LIS experiment.
        path_g, path_r: where their weights are, if not in the experiment's wts_dir: a file or a folder, see `fill`.
        iteration: of the checkpoint in wts_dir; by default the newest.
        train_mode: the sampler's batch norm uses the statistics of each batch.

    Raises:
        UserError: not a LIS experiment, no weights, or weights of other sizes.
    """
    if not registry.folders()[params.system].endswith(".lis"):
        raise UserError(f"{params.name}: is an experiment of {params.system}; give one of glis, lis_separate or lis_iterative")
    if params.system == "lis_separate" and path_g:
        params, path_g = params.replace(load_path=path_g), ""
    given = {kind: path for kind, path in (("g", path_g), ("r", path_r)) if path}
    needed = registry.system_class(params.system).sampling
    if set(needed) <= set(given):
        system = runs.build(params, training=False)
    else:
        system, _ = runs.open_sampler(params, iteration)
    g = getattr(system, "generator", None) or system.networks["g"]
    r = system.networks.get("r")
    if r is None and path_r:
        r = system.new_reverser()
    for kind, network in (("g", g), ("r", r)):
        if kind in given:
            fill(network, kind, given[kind])
    sampler = None
    if params.system in LEARNED:
        sampler = Sampler(g, r, params.r_iterations, params.code_size, params.batch_size, train_mode)
    return Opened(system, g, r, sampler)
