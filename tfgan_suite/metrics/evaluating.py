"""What `tools/evaluate.py`, `tools/compare.py` and `tfgan_suite.evaluate` share: options, default metrics, the
real images, computing all that was asked for.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter
from tfgan_suite.metrics import registry, report
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.statistics import check_splits

OPTIONS = (
    Parameter("metrics", "", "names, separated by commas: is, is_new, fid, kid, swd, digits, reconstruction, or a system's own "
              "(default: digits for digits* experiments; else the system's own, or is,fid; for folders fid,kid with --reals, else "
              "is)"),
    Parameter("n", 0, "number of samples (0: 5000, or all images of a folder)", minimum=0),
    Parameter("iteration", None, "of the checkpoint (default: the newest), or 'all'", str),
    Parameter("splits", 10, "parts of the Inception Score", minimum=1),
    Parameter("batch", 100, "images made and judged at a time", minimum=1),
    Parameter("reals", "", "folder of images, experiment, or .npz file of statistics (mu and sigma, or mean and cov) to "
              "compare with (default: the experiment's own data)"),
    Parameter("save_stats", "", "write mean and covariance of the samples' features to this .npz file (mu, sigma)"),
    Parameter("graph", "", "file classify_image_graph_def.pb"),
    Parameter("graph_sha256", "", "SHA-256 that the graph file must have, if it is another one than the original's"),
    Parameter("download", False, "fetch the graph into the cache folder if it is not there"),
    Parameter("out_dir", "", "log folder for the results of a FOLDER (default: logs/NAME of the folder)"),
)
DEFAULT_N = 5000


def reals_of(given: str, system) -> Callable:
    """A function that opens the real data to compare with.

    Args:
        given: a folder of images, an experiment, or a file of statistics (`features.of_file`); '' for the system's own data.
        system: the system, or None.
    """
    @cache
    def opened():
        from tfgan_suite import registry as systems
        from tfgan_suite.data.folder import FolderSource
        from tfgan_suite.data.rgb import WHITE

        if given.endswith(".npz"):
            from tfgan_suite.metrics import (
                features,  # it brings TensorFlow, which a command's help does without
            )

            return features.of_file(given)
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
        from tfgan_suite.metrics import scores  # it brings TensorFlow, which a command's help does without

        scores.inception(evaluation)


def each(evaluation: Evaluation) -> Iterator[tuple[str, dict[str, float] | UserError]]:
    """(metric, its results, or what was wrong) as they come; one that fails does not keep the others from coming.

    Raises:
        UserError: as `check`, before the first.
    """
    check(evaluation)
    from tfgan_suite.metrics import tfgan

    if {"fid", "kid", "swd", "digits"} & set(evaluation.names):
        evaluation.protocol["distances"] = tfgan.computed_by()
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


def of_system(system, params, names: tuple = (), seed: int = 0, options: Mapping | None = None,
              shared: dict | None = None) -> Evaluation:
    """The evaluation of samples of a system that is opened for sampling.

    Args:
        names: of the metrics; by default those that the experiment is judged by.
        options: those of `tools/evaluate.py` that differ from its defaults.
        shared: what an evaluation of the same experiment left (`Evaluation.next_shared`).
    """
    from tfgan_suite.metrics import samples  # it brings TensorFlow, which a command's help does without

    known, options = {o.name: o for o in OPTIONS}, options or {}
    for name in set(options) - set(known):
        raise UserError(f"unknown option '{name}'{experiment.nearest(name, known)}; there are {', '.join(known)}")
    chosen = {o.name: o.convert(options.get(o.name, o.default), "option") for o in OPTIONS}
    stream = samples.SystemSamples(system, chosen["n"] or DEFAULT_N, seed, chosen["batch"])
    return Evaluation(stream, chosen["splits"], seed, reals_of(chosen["reals"], system), system, params, chosen,
                      shared=shared or {}, names=tuple(names) or default_metrics(params.name, system))


def evaluate(evaluation: Evaluation, iteration: int | None, show: Callable | None = None) -> dict[str, float]:
    """The results of the metrics by name, which are also recorded in the run's log folder.

    Args:
        show: called with the results and the protocol (how they were made) before they are recorded.

    Raises:
        UserError: see `compute`; the log folder cannot be written.
    """
    results = compute(evaluation)
    how = report.protocol(evaluation, iteration)
    if show is not None:
        show(results, how)
    report.record(evaluation.params, results, how)
    return results
