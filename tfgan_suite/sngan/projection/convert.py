"""Weights of pfnet-research/sngan_projection as ours: the snapshots `<Generator>_N.npz` and `<Discriminator>_N.npz`."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfgan_suite import registry
from tfgan_suite.files.archive import Archive


def iteration(path: str, params=None) -> int:
    """N of a snapshot `_N.npz`."""
    number = re.search(r"_(\d+)\.npz$", str(path))
    return int(number[1]) if number else 0


def convert(path: str, params) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of G's snapshot, and of D's if it lies beside it; they have our names already.

    Args:
        params: of the experiment that goes on with them.

    Returns:
        'g' and, where it is there, 'd': name -> array.

    Raises:
        UserError: unreadable, or of another model.
    """
    file = Path(path)
    number = file.stem.rsplit("_", 1)[-1]
    others = [p for p in sorted(file.parent.glob(f"*Discriminator_{number}.npz")) if p != file]
    system = registry.system_class(params.system)(params)
    result = {}
    for kind, snapshot in (("g", file), ("d", others[0] if others else None)):
        if snapshot is not None:
            system.networks[kind].assign(Archive(snapshot))
            result[kind] = dict(system.networks[kind].arrays())
    return result
