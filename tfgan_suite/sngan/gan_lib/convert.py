"""Weights of watsonyanghx/GAN_Lib_Tensorflow as ours: TF1 Saver checkpoints, with Adam's moments."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import registry
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import tf1

_POWERS = {"g": "beta2_power", "d": "beta2_power_1"}
_SCOPES = {"g": "Generator/", "d": "Discriminator/"}
_READABLE = 1e-30  # below, a power of beta2 in float32 is no longer exact


def iteration(path: str, params=None) -> int:
    """Iterations done: N + 1 of `model.ckpt-N`, which is written after iteration N counted from 0."""
    number = re.search(r"-(\d+)$", _prefix(str(path)))
    return int(number[1]) + 1 if number else 0


def _prefix(path: str) -> str:
    if not Path(path).is_dir():
        return re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path)
    with reading(Path(path) / "checkpoint", "does not name a checkpoint",
                 "give model.ckpt-N in place of its folder"):
        found = tf.train.latest_checkpoint(path)
    if found is None:
        numbers = [int(m[1]) for m in (re.fullmatch(r"model\.ckpt-(\d+)\.index", p.name)
                                       for p in Path(path).iterdir()) if m]
        if not numbers:
            raise UserError(f"{path}: holds no checkpoint of the original (model.ckpt-N.index)")
        found = str(Path(path) / f"model.ckpt-{max(numbers)}")
    return found


def convert(path: str, params) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of an original's checkpoint under our names.

    Args:
        path: prefix of a TF1 checkpoint (`.../model.ckpt-N`), or its folder (then the newest).
        params: of the experiment that goes on with them.

    Returns:
        'g' and 'd': name -> array; 'state': the optimisers' state.

    Raises:
        UserError: unreadable, or of another model.
    """
    prefix = _prefix(str(path))
    arrays = tf1.read(prefix)
    system = registry.system_class(params.system)(params)
    result: dict[str, dict[str, np.ndarray]] = {"g": {}, "d": {}, "state": {}}
    for kind, scope in _SCOPES.items():
        network = system.networks[kind]
        given = _Checkpoint(prefix,
                            {n: v for n, v in arrays.items() if n.startswith(scope) and _is_weight(n)})
        missing = sorted(set(network.shapes()) - set(given) - {n for n in network.shapes()
                                                               if n.endswith("/u")})
        if missing:
            raise UserError(f"{prefix}: has no '{missing[0]}'; it is of another model than this experiment")
        network.assign(given)
        result[kind] = dict(network.arrays())
        _assign_slots(system.optimizers[kind], network, arrays, _steps(kind, arrays, prefix, params))
    result["state"] = {name: variable.numpy() for name, variable in system.state().items()}
    return result


class _Checkpoint(dict):
    """Arrays that know which file they are from."""

    def __init__(self, path: str, arrays: dict):
        super().__init__(arrays)
        self.path = path


def _is_weight(name: str) -> bool:
    return not name.endswith(("/Adam", "/Adam_1"))


def _steps(kind: str, arrays: dict, prefix: str, params) -> int:
    """Adam's steps so far: from the power of beta2 where float32 still holds it, else from the checkpoint's
    number."""
    power = float(arrays.get(_POWERS[kind], 0.0))
    if power > _READABLE:
        # The power starts at beta2 and is multiplied after every step.
        return max(0, round(np.log(power) / np.log(params.BETA2)) - 1)
    done = iteration(prefix)
    return max(done - 1, 0) if kind == "g" else done * params.N_CRITIC


def _assign_slots(optimizer, network, arrays: dict, steps: int) -> None:
    optimizer.iterations.assign(steps)
    names = [v.name.split(":")[0] for v in network.trainable_variables]
    for name, m, v in zip(names, optimizer._momentums, optimizer._velocities):
        if f"{name}/Adam" in arrays:
            m.assign(arrays[f"{name}/Adam"])
            v.assign(arrays[f"{name}/Adam_1"])
