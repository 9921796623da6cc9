"""What `tools/evaluate.py`, `tools/compare.py` and `tfgan_suite.evaluate` share: options, default metrics,
the real images, computing all that was asked for.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np

from tfgan_suite import experiment
from tfgan_suite.data.source import Source, Subset
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.metrics import features, passes, registry, report, samples, tfgan
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.statistics import check_splits


def of_class(source: Source, label: int) -> Source:
    """The images of one class.

    Raises:
        UserError: the images have no labels, or none of that class.
    """
    if source.labels is None:
        raise UserError(f"{source.name}: has no labels, so the images of class {label} cannot be told from "
                        f"the others")
    chosen = np.flatnonzero(source.labels == label)
    if not len(chosen):
        raise UserError(f"{source.name}: has no image of class {label}")
    return Subset(source, chosen)


def reals_of(given: str, system, label: int | None = None) -> Callable:
    """A function that opens the real data to compare with.

    Args:
        given: a folder of images, an experiment, or a file of statistics (`features.of_file`); '' for the
            system's own data.
        system: the system, or None.
        label: of the class whose statistics a file is asked for, if it has them by class.
    """
    @cache
    def opened():
        from tfgan_suite import registry as systems
        from tfgan_suite.data.folder import FolderSource

        if given.endswith(".npz"):
            by_class = label is not None and f"mu_{label}" in archive.Archive(given)
            return features.of_file(given, label if by_class else None)
        if given and os.path.isdir(given):
            return FolderSource(given, per_class=False)
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


def check_target(path: str) -> None:
    """Raises:
        UserError: --save_stats cannot be written there.
    """
    if path and not path.endswith(".npz"):
        raise UserError(f"--save_stats={path}: give a name that ends in .npz")
    if path and not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        raise UserError(f"--save_stats={path}: its folder is not there, or not writable")


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
        passes.inception(evaluation)
    if "effnet" in needed:
        passes.efficientnet(evaluation)
    if evaluation.options.get("save_stats"):
        passes.network(evaluation, saved_network(evaluation))


def saved_network(evaluation: Evaluation) -> str:
    """The network whose features' statistics `--save_stats` writes: EfficientNet-Lite0 where metrics on it,
    and none on the Inception graph, are asked for."""
    needed = registry.needs(evaluation.names, evaluation.system)
    return passes.EFFNET if "effnet" in needed and "graph" not in needed else passes.INCEPTION


def save_statistics(evaluation: Evaluation, target: str) -> str:
    """Writes the file of `--save_stats`; says what it holds."""
    name = saved_network(evaluation)
    found = passes.judged(evaluation, name)
    features.save(target, found.moments, found.by_class, passes.network(evaluation, name).file.sha256)
    several = sum(moments.n > 1 for moments in found.by_class.values())
    return f"Wrote {target}" + (f", with the statistics of {several} classes" if several else "")


def each(evaluation: Evaluation) -> Iterator[tuple[str, dict[str, float] | UserError]]:
    """(metric, its results, or what was wrong) as they come; one that fails does not keep the others from
    coming.

    Raises:
        UserError: as `check`, before the first.
    """
    check(evaluation)
    if {"fid", "kid", "swd", "digits", "intra_fid", "fd_effnet"} & set(evaluation.names):
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
    known, options = {o.name: o for o in registry.OPTIONS}, options or {}
    for name in set(options) - set(known):
        raise UserError(f"unknown option '{name}'{experiment.nearest(name, known)}; there are "
                        f"{', '.join(known)}")
    chosen = {o.name: o.convert(options.get(o.name, o.default), "option") for o in registry.OPTIONS}
    label, reals = chosen["label"], reals_of(chosen["reals"], system, chosen["label"])
    if label is not None:
        if label >= system.classes:
            raise UserError(f"--label={label}: {params.name} has {system.classes} classes"
                            + (f", 0 to {system.classes - 1}" if system.classes else "; leave --label out"))
        reals = reals if chosen["reals"] else cache(lambda opened=reals: of_class(opened(), label))
    stream = samples.SystemSamples(system, chosen["n"] or registry.DEFAULT_N, seed, chosen["batch"],
                                   label=label)
    return Evaluation(stream, chosen["splits"], seed, reals, system, params, chosen, shared=shared or {},
                      names=tuple(names) or default_metrics(params.name, system),
                      against_training=not chosen["reals"])


def evaluate(evaluation: Evaluation, iteration: int | None, title: str = "",
             show: Callable[[str], None] = lambda text: None) -> dict[str, float]:
    """The results of all metrics by name; each is shown and recorded in the run's log folder as it comes.

    One that fails does not take the others with it.

    Args:
        iteration: of the checkpoint, or None.
        title: above the table.
        show: called with each part of the table.

    Raises:
        UserError: some metric failed (the others are recorded), or the log folder cannot be written.
    """
    failed, results = [], {}
    target = evaluation.options["save_stats"]
    check_target(target)
    check(evaluation)
    show(report.head(title))
    for name, found in each(evaluation):
        if isinstance(found, UserError):
            failed.append((name, found))
            show(f"{name}: failed")
            continue
        report.record(evaluation.params, found, report.protocol(evaluation, iteration))
        show(report.rows(found))
        results.update(found)
    if target:
        show(save_statistics(evaluation, target))
    show(report.foot(report.protocol(evaluation, iteration)))
    if failed:
        raise UserError("; ".join(f"{name}: {str(error).removeprefix(f'{name}: ')}" for name,
                                  error in failed))
    return results
