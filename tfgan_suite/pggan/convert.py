"""tools/convert.py for PGGAN: a snapshot of alenmora/ppgan (.pth.tar) becomes a checkpoint of this suite."""
from __future__ import annotations

import re
from pathlib import Path

from tfgan_suite.pggan import snapshots
from tfgan_suite.pggan.schedule import level_of, schedule_of


def convert(path: str, params) -> dict[str, dict]:
    """Arrays by network kind, and 'state': Adam's moments and step counts; 'decided': flags that the snapshot
    decides, where it has other betas or another weight decay than the experiment.

    Args:
        path: of the .pth.tar file, of either container; torch is not needed.

    Raises:
        UserError: not such a file, or of other networks than the experiment's.
    """
    from tfgan_suite.training import runs

    content = snapshots.read(path)
    system = runs.build(params.replace(preWtsFile=None, resumeTraining=""))
    decided, _ = snapshots.load(system, content, path)
    found = {kind: dict(network.arrays()) for kind, network in system.networks.items()}
    state = {name: variable.numpy() for name, variable in system.state().items()}
    return {**found, "state": state, **({"decided": decided} if decided else {})}


def iteration(path: str, params) -> int:
    """How many iterations of this experiment's schedule a snapshot's name stands for; 0 where the name does
    not say.

    The original names a snapshot after the images shown before the iteration whose updates it holds.
    """
    schedule, name = schedule_of(params), Path(path).name
    if re.match(r"\d+x\d+_final_", name):
        return schedule.iterations
    found = re.match(r"modelCheckpoint_(\d+)x\d+_(\d+)_", name)
    if not found:
        return 0
    level = level_of(int(found[1]))
    if not schedule.start_level <= level <= schedule.last:
        return 0
    return (
        schedule.first_iteration(level)
        + (int(found[2]) - schedule.images_at(level)) // schedule.batch(level)
        + 1
    )
