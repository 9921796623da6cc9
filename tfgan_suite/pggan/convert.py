"""tools/convert.py for PGGAN: a snapshot of alenmora/ppgan (.pth.tar) becomes a checkpoint of this suite."""
from __future__ import annotations

import numpy as np

from tfgan_suite.pggan import snapshots


def convert(path: str, params) -> dict[str, dict[str, np.ndarray]]:
    """Arrays by network kind, and 'state': Adam's moments and step counts.

    Args:
        path: of the .pth.tar file, of either container; torch is not needed.

    Raises:
        UserError: not such a file, or of another architecture than the experiment's.
    """
    from tfgan_suite import runs

    content = snapshots.read(path)
    system = runs.build(params.replace(preWtsFile=None, resumeTraining=""))
    snapshots.load(system, content, path)
    found = {kind: dict(network.arrays()) for kind, network in system.networks.items()}
    return {**found, "state": {name: variable.numpy() for name, variable in system.state().items()}}
