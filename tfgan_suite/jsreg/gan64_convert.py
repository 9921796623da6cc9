"""Checkpoints of `gan_64x64.py` (TF1 Saver files `checkpoints/ckpt-N.*`) as arrays of `jsreg_gan64`."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import runs
from tfgan_suite.errors import UserError

SLOTS = {"m": "Adam", "v": "Adam_1", "rms": "RMSProp"}


def prefix(path) -> str:
    """The file prefix `.../ckpt-N` that a folder (its newest checkpoint), a prefix or one of the three files stands for.

    Raises:
        UserError: there is no checkpoint.
    """
    path = Path(path)
    found = tf.train.latest_checkpoint(str(path)) if path.is_dir() else re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path))
    if not found or not Path(f"{found}.index").is_file():
        raise UserError(f"{path}: no TensorFlow checkpoint; give its folder, or ckpt-N.index with ckpt-N.data-* beside it")
    return found


def convert(path, params) -> dict[str, dict[str, np.ndarray]]:
    """Weights of G and D, and the state that resumes the run: the optimisers' slots and step counts.

    `ckpt-N` was written after iteration N (counted from 0): N+1 times the D steps, and N steps of G. The moving statistics of
    batch norm are left out: the original never used them.

    Args:
        params: of the experiment that goes on with it; it must have the run's architecture, mode and DIM.

    Returns:
        'g', 'd' and 'state', array name -> array.

    Raises:
        UserError: no or a broken checkpoint, or not one of this experiment.
    """
    source = prefix(path)
    try:
        reader = tf.train.load_checkpoint(source)
        values = {name.rsplit("/", 1)[-1]: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
                  if not re.search(r"/(Adam|RMSProp)(_1)?$", name)}
        slots = {tuple(name.split("/")[-2:]): reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
                 if re.search(r"/(Adam|RMSProp)(_1)?$", name)}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise UserError(f"{source}: cannot be read: {str(error).splitlines()[0]}") from None
    system = runs.build(params)
    return {**{kind: _weights(source, values, network) for kind, network in system.networks.items()},
            "state": _state(source, slots, system)}


def _weights(source: str, values: dict, network) -> dict[str, np.ndarray]:
    weights = {}
    for name, shape in network.shapes().items():
        if name not in values or values[name].shape != shape:
            found = f"has shape {values[name].shape}" if name in values else "is missing"
            raise UserError(f"{source}: '{name}' {found}, this experiment needs {shape}; give the run's --architecture, --mode, "
                            f"--DIM, --FC_DIM")
        weights[name] = values[name]
    return weights


def _state(source: str, slots: dict, system) -> dict[str, np.ndarray]:
    number = int(re.search(r"(\d+)$", source)[1]) if re.search(r"\d+$", source) else 0
    updates = {"g": number, "d": (number + 1) * system.disc_steps}
    state = {}
    for name, variable in system.state().items():
        part = name.split("/", 3)
        if part[-1] == "iteration":
            state[name] = np.asarray(updates[part[0]], variable.dtype.as_numpy_dtype)
        elif part[0] in updates:
            key = (part[3], SLOTS[part[2]])
            if key not in slots:
                raise UserError(f"{source}: holds no slot {'/'.join(key)}; give the run's --mode")
            state[name] = slots[key]
        else:
            state[name] = variable.numpy()
    return state
