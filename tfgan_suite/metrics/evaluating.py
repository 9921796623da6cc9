"""What `tools/evaluate.py` and `tools/compare.py` share: the default metrics, the real images, computing
all that was asked for.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import registry, scores
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.statistics import check_splits


def reals_of(given: str, system) -> Callable:
    """A function that opens the real data to compare with.

    Args:
        given: a folder of images or an experiment; '' for the system's own data.
        system: the system, or None.
    """
    @cache
    def opened():
        from tfgan_suite import registry as systems
        from tfgan_suite.data.folder import FolderSource
        from tfgan_suite.data.rgb import WHITE

        if given and os.path.isdir(given):
            return FolderSource(given, per_class=False, background=WHITE)
        if given:
            other = experiment.load(given)
            return systems.system_class(other.system)(other, training=False).reals()
        if system is None:
            raise UserError("--reals: fid, kid and swd compare with real images; give a folder or an "
                            "experiment")
        return system.reals()
    return opened


def default_metrics(name: str, system) -> tuple:
    """What an experiment is judged by if nothing else is said.

    Args:
        system: the system or its class.
    """
    return system.default_metrics or (("digits",) if name.startswith("digits") else ("is", "fid"))


def check(evaluation: Evaluation) -> None:
    """Looks for everything that the metrics need before anything is computed.

    Raises:
        UserError: an unknown metric, too few samples, no graph, no real images, or no experiment.
    """
    registry.find(evaluation.names, evaluation.system)
    needed = registry.needs(evaluation.names, evaluation.system)
    if "system" in needed and evaluation.system is None:
        raise UserError("--metrics=reconstruction: needs an experiment, a folder of images has no generator")
    if "splits" in needed:
        check_splits(len(evaluation.samples), evaluation.splits)
    if "reals" in needed:
        evaluation.reals()
    if "graph" in needed:
        scores.inception(evaluation)


def each(evaluation: Evaluation) -> Iterator[tuple[str, dict[str, float] | UserError]]:
    """(metric, its results, or what was wrong) as they come; one that fails does not keep the others from coming.

    Raises:
        UserError: as `check`, before the first.
    """
    check(evaluation)
    for name, function in registry.find(evaluation.names, evaluation.system).items():
        try:
            yield name, function(evaluation)
        except UserError as error:
            yield name, error


def compute(evaluation: Evaluation) -> dict[str, float]:
    """The results of all metrics that the evaluation is asked for.

    Raises:
        UserError: an unknown metric, too few samples, or what a metric needs is not there.
    """
    results: dict[str, float] = {}
    for _, found in each(evaluation):
        if isinstance(found, UserError):
            raise found
        results.update(found)
    return results
