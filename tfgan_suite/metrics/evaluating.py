"""What `tools/evaluate.py` and `tools/compare.py` share: the default metrics, the real images, computing
all that was asked for.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import registry
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


def compute(evaluation: Evaluation) -> dict[str, float]:
    """The results of all metrics that the evaluation is asked for.

    Raises:
        UserError: an unknown metric, too few samples, or what a metric needs is not there.
    """
    functions, results = registry.find(evaluation.names, evaluation.system), {}
    if {"is", "is_new", "digits"} & set(functions):
        check_splits(len(evaluation.samples), evaluation.splits)
    for function in functions.values():
        results.update(function(evaluation))
    return results
