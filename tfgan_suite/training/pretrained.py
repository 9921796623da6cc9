"""The small trained weights that come with the suite: `pretrained/NAME` holds the checkpoint of an experiment
and `score.json`, which says how it was trained and what it scores.

What reads a run's weights takes them where the run has no checkpoint yet; training never does.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path

from tfgan_suite import experiment
from tfgan_suite.errors import quoted, reading
from tfgan_suite.experiment import Parameters
from tfgan_suite.files.checkpoints import Checkpoints

RECORD = "score.json"


def names() -> list[str]:
    """The experiments whose weights are there, sorted."""
    return sorted(path.parent.name for path in experiment.PRETRAINED.glob(f"*/{RECORD}"))


def record(name: str) -> dict:
    """How the weights of an experiment were made.

    Returns:
        `command` and `minutes` of the training, `iteration`, `samples` and their `scores` (name -> value).

    Raises:
        UserError: the record is broken.
    """
    path = experiment.PRETRAINED / name / RECORD
    with reading(path, "is no record of trained weights", "take it from the suite again"):
        return dict(json.loads(path.read_text()))


def belong_to(params: Parameters) -> bool:
    """Whether a run without a checkpoint may show them: it is of the suite's experiment of that name, in its
    usual folder, with the same networks and data."""
    if params.tag or params.sources.get("wts_dir") != "default" or params.name not in names():
        return False
    own = experiment.load(str(experiment.EXPERIMENTS / f"{params.name}.py"))
    return own.system == params.system and own.fixed() == params.fixed()


def files(params: Parameters) -> Checkpoints:
    """The checkpoints to read for a run: its own, or, where it has none, those that come with the suite."""
    own = Checkpoints(params.wts_dir)
    if own.after(-1) or not belong_to(params):
        return own
    return Checkpoints(experiment.PRETRAINED / params.name)


def tell(params: Parameters, found: Checkpoints) -> None:
    """A line on stderr where the weights are not the run's own."""
    if found.folder == Path(params.wts_dir):
        return
    shares = ", ".join(f"{name} {value:.2f}" for name, value in record(params.name)["scores"].items()
                       if name.endswith("_ratio"))
    print(f"Note: {params.wts_dir} has no checkpoint; these are the trained weights that come with the "
          f"suite, {found.folder} ({shares}); ./train.py {quoted(params.name)} trains your own",
          file=sys.stderr, flush=True)
