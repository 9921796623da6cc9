"""Checkpoints of `gan_64x64.py` (TF1 Saver files `checkpoints/ckpt-N.*`) as arrays of `jsreg_gan64`."""
from __future__ import annotations

import re

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files import tf1
from tfgan_suite.training import runs

SLOT = re.compile(r"/(Adam|RMSProp)(_1)?$")
SLOTS = {"m": "Adam", "v": "Adam_1", "rms": "RMSProp"}


def iteration(path, params=None) -> int:
    """How many iterations `ckpt-N` has behind it: N+1, since the original saves after iteration N, counted
    from 0."""
    found = re.search(r"(\d+)$", tf1.prefix(path))
    return int(found[1]) + 1 if found else 0


def convert(path, params) -> dict[str, dict[str, np.ndarray]]:
    """Weights of G and D, and the state that resumes the run: the optimisers' slots and step counts.

    `ckpt-N` was written after iteration N (counted from 0): N+1 times the D steps, and N steps of G. The
    moving statistics of
    batch norm are left out: the original never used them.

    Args:
        params: of the experiment that goes on with it; it must have the run's architecture, mode and DIM.

    Returns:
        'g', 'd' and 'state', array name -> array.

    Raises:
        UserError: no or a broken checkpoint, or not one of this experiment.
    """
    source = tf1.prefix(path)
    arrays = tf1.read(source)
    weights = {name.rsplit("/", 1)[-1]: array for name, array in arrays.items() if not SLOT.search(name)}
    slots = {tuple(name.split("/")[-2:]): array for name, array in arrays.items() if SLOT.search(name)}
    system = runs.build(params)
    return {**{kind: _weights(source, weights, network) for kind, network in system.networks.items()},
            "state": _state(source, slots, system, iteration(path))}


def _weights(source: str, values: dict, network) -> dict[str, np.ndarray]:
    weights = {}
    for name, shape in network.shapes().items():
        if name not in values or values[name].shape != shape:
            found = f"has shape {values[name].shape}" if name in values else "is missing"
            raise UserError(f"{source}: '{name}' {found}, this experiment needs {shape}; give the run's "
                            f"--architecture, --mode, --DIM, --FC_DIM")
        weights[name] = values[name]
    return weights


def _state(source: str, slots: dict, system, done: int) -> dict[str, np.ndarray]:
    updates = {"g": max(done - 1, 0), "d": done * system.disc_steps}
    state = {}
    for name, variable in system.state().items():
        part = name.split("/", 2)
        if part[-1] == "iteration":
            state[name] = np.asarray(updates[part[0]], variable.dtype.as_numpy_dtype)
        elif part[0] in updates:
            key = (part[2], SLOTS[part[1]])
            if key not in slots:
                raise UserError(f"{source}: holds no slot {'/'.join(key)}; give the run's --mode")
            state[name] = slots[key]
        else:
            state[name] = variable.numpy()
    return state
