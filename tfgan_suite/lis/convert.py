"""Reads the original's checkpoints: `net_archive/{prefix}_{gen,dis,r}.pt`, their optimisers and
`_state.pt`."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.experiment import whole
from tfgan_suite.files import torch
from tfgan_suite.layers.conventions import TORCH_2017
from tfgan_suite.training import runs

ARCHIVE = "net_archive"
SUFFIX = {"g": "gen", "d": "dis", "r": "r"}
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def _path(folder: Path, prefix: str, kind: str, what: str = "") -> Path:
    return Path(folder) / ARCHIVE / f"{prefix}_{SUFFIX[kind]}{what}.pt"


def from_file(value: np.ndarray) -> np.ndarray:
    """The original's layout -> ours."""
    return value.transpose(np.argsort(TORCH_2017.axes("", value.ndim)))


def network(folder, prefix: str, kind: str) -> dict[str, np.ndarray]:
    """The arrays of one network, in the original's layout and order.

    Args:
        folder: an experiment of the original.
        prefix: 'best', 'last' or an iteration.
        kind: 'g', 'd' or 'r'.

    Raises:
        UserError: no such file, or not a network.
    """
    path = _path(folder, prefix, kind)
    if not path.is_file():
        raise UserError(f"{path}: no such file; there are {', '.join(prefixes(folder)) or 'none'}")
    found = torch.arrays_of(torch.load(path), path, "give a file of net_archive such as 5000_gen.pt")
    return {name: a for name, a in found.items() if not name.endswith("num_batches_tracked")}


def prefixes(folder) -> list[str]:
    """The checkpoints of an experiment of the original: 'best', 'last', iterations."""
    found = Path(folder).glob(f"{ARCHIVE}/*.pt")
    return sorted({p.stem.rsplit("_", 1)[0] for p in found if p.stem.rsplit("_", 1)[-1] in ("gen", "r")})


def square_averages(folder, prefix: str, kind: str) -> dict[str, np.ndarray]:
    """RMSprop's mean squares by parameter, in our layout; empty where there is no optimiser file.

    The original numbers parameters by their order; one that never had a gradient has no entry and starts at
    zero.
    """
    path = _path(folder, prefix, kind, "_opt")
    if not path.is_file():
        return {}
    names = [n for n in network(folder, prefix, kind) if not n.endswith(BUFFERS)]
    stored = torch.load(path)
    with reading(path, "holds no optimiser state of the original"):
        order, state = stored["param_groups"][0]["params"], stored["state"]
        return {n: from_file(state[i]["square_avg"]) for n, i in zip(names, order) if i in state}


def state(folder, prefix: str) -> dict:
    """What `{prefix}_state.pt` says: current_iter, best_iter, min_loss, current_sample, index_shuffle."""
    path = Path(folder) / ARCHIVE / f"{prefix}_state.pt"
    found = torch.load(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds no state of a run; give a *_state.pt file of the original")
    return {name: value for name, value in found.items() if name != "history"}


def _locate(source, params) -> tuple[Path, str]:
    """The experiment folder and the prefix that a source names: a folder, or one of its files."""
    source = Path(source)
    if source.is_dir():
        folder = source.parent if source.name == ARCHIVE else source
        there = prefixes(folder)
        if not there:
            raise UserError(f"{source}: holds no {ARCHIVE}/*_gen.pt; give an experiment folder of the "
                            "original, or a .pt file")
        for wanted in (params.values.get("net"), "last"):
            if wanted in there:
                return folder, wanted
        return folder, max(there, key=lambda p: -1 if whole(p) is None else int(p))
    if not source.is_file():
        raise UserError(f"{source}: no such file or folder")
    if source.parent.name != ARCHIVE or "_" not in source.stem:
        raise UserError(f"{source}: must lie in a folder {ARCHIVE} and be named like 5000_gen.pt")
    return source.parent.parent, source.stem.split("_")[0]


def convert(path, params) -> dict:
    """A checkpoint of the original by our names, for `tools/convert.py`.

    Args:
        path: an experiment folder of the original (its --net, else last), or one of its
            `net_archive/N_gen.pt`.
        params: of the experiment that takes it.

    Returns:
        Network kind -> arrays; with the optimisers there, 'state' -> all that resuming needs.

    Raises:
        UserError: not such files, or of other sizes than the experiment's.
    """
    folder, prefix = _locate(path, params)
    system = runs.build(params)
    arrays = {kind: network(folder, prefix, kind) for kind in system.networks
              if _path(folder, prefix, kind).is_file()}
    slots = {kind: square_averages(folder, prefix, kind) for kind in arrays}
    if set(arrays) == set(system.networks) and all(slots.values()):
        for kind, stored in slots.items():
            system.networks[kind].assign(arrays[kind])
            for name, slot in system.square_averages(kind).items():
                slot.assign(stored.get(name, np.zeros(slot.shape, np.float32)).reshape(slot.shape))
        arrays["state"] = {name: variable.numpy() for name, variable in system.state().items()}
    return arrays
