"""Checkpoints of the `carpedm20_DCGAN` program (TF1 Saver files `checkpoints/ckpt-N.*`) as arrays of
`jsreg_dcgan`."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files import tf1
from tfgan_suite.training import runs


def iteration(path, params=None) -> int:
    """N of `ckpt-N`."""
    numbers = re.findall(r"\d+", Path(tf1.prefix(path)).name)
    return int(numbers[-1]) if numbers else 0


def convert(path, params) -> dict[str, dict[str, np.ndarray]]:
    """Weights and moving statistics of G and D. The original saves no optimiser slots, so training goes on
    with fresh ones.

    Args:
        path: the folder `checkpoints`, or one of a checkpoint's files.
        params: of the experiment that will use them; it must have the checkpoint's sizes.

    Returns:
        'g' and 'd', array name -> array.

    Raises:
        UserError: no or a broken checkpoint, or not one of this experiment.
    """
    source = tf1.prefix(path)
    values = tf1.read(source)
    found = {}
    for kind, network in runs.build(params).networks.items():
        for name, shape in network.shapes().items():
            if name not in values or values[name].shape != shape:
                there = f"has shape {values[name].shape}" if name in values else "is missing"
                raise UserError(f"{source}: '{name}' {there}, this experiment needs {shape}; give the run's "
                                "--dataset, --output_height, --z_dim, --gf_dim, --df_dim")
        found[kind] = {name: values[name] for name in network.shapes()}
    return found
