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


def _state_path(folder: Path, prefix: str) -> Path:
    return Path(folder) / ARCHIVE / f"{prefix}_state.pt"


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
    path = _state_path(folder, prefix)
    found = torch.load(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds no state of a run; give a *_state.pt file of the original")
    return {name: value for name, value in found.items() if name != "history"}


def newest(folder, kind: str) -> str | None:
    """The newest checkpoint of one network: 'last', else the largest iteration (R-separate writes no 'last');
    None without any."""
    if _path(folder, "last", kind).is_file():
        return "last"
    numbers = [p for p in prefixes(folder) if whole(p) is not None and _path(folder, p, kind).is_file()]
    return max(numbers, key=int, default=None)


def _locate(source, params) -> tuple[Path, str]:
    """The experiment folder and the prefix that a source names: a folder (a --net that is given, else last),
    or one of its files."""
    source = Path(source)
    if source.is_dir():
        folder = source.parent if source.name == ARCHIVE else source
        there = prefixes(folder)
        if not there:
            raise UserError(f"{source}: holds no {ARCHIVE}/*_gen.pt; give an experiment folder of the "
                            "original, or a .pt file")
        if params.system != "lis_separate" and params.sources.get("net") == "command line":
            if params.net not in there:
                raise UserError(f"{folder}: holds no checkpoint --net={params.net}; there are "
                                f"{', '.join(there)}")
            return folder, params.net
        return folder, newest(folder, "r" if params.system == "lis_separate" else "g") or there[-1]
    if not source.is_file():
        raise UserError(f"{source}: no such file or folder")
    if source.parent.name != ARCHIVE or "_" not in source.stem:
        raise UserError(f"{source}: must lie in a folder {ARCHIVE} and be named like 5000_gen.pt")
    return source.parent.parent, source.stem.split("_")[0]


def convert(path, params) -> dict:
    """A checkpoint of the original by our names, for `tools/convert.py`.

    Args:
        path: an experiment folder of the original (the --net that is given, else its newest), or one of its
            `net_archive/N_gen.pt`.
        params: of the experiment that takes it.

    Returns:
        Network kind -> arrays; with the optimisers there, 'state' -> all that resuming needs; the name of a
        file beside the checkpoint -> its arrays: the best network of the run, as training keeps it in `best`.

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
        if system.tested and _best(folder):
            about = state(folder, prefix)
            system.extra_state["min_loss"].assign(float(about["min_loss"]))
            system.extra_state["best_iter"].assign(int(about["best_iter"]))
        arrays["state"] = {name: variable.numpy() for name, variable in system.state().items()}
    return {**arrays, **_beside(folder, prefix)}


def iteration(path, params) -> int:
    """The iteration of a checkpoint, from its state file; where there is none, the number of its name.

    Raises:
        UserError: neither says it.
    """
    folder, prefix = _locate(path, params)
    if _state_path(folder, prefix).is_file():
        with reading(_state_path(folder, prefix), "says no current_iter"):
            return int(state(folder, prefix)["current_iter"])
    if whole(prefix) is None:
        raise UserError(f"{_state_path(folder, prefix)}: no such file, so the iteration is not known; give "
                        "it behind the file's name")
    return int(prefix)


def _best(folder) -> dict[str, dict]:
    """Network kind -> arrays of the best network of a run; empty where it is not kept."""
    return {kind: network(folder, "best", kind) for kind in SUFFIX if _path(folder, "best", kind).is_file()}


def _beside(folder, prefix: str) -> dict[str, dict]:
    best = _best(folder)
    if not best or not _state_path(folder, prefix).is_file():
        return {}
    number = int(state(folder, prefix)["best_iter"])
    return {f"best/iter_{number}.{kind}model.npz": arrays for kind, arrays in best.items()}
