#!/usr/bin/env python3
"""Compares the losses of LIS runs in one plot: ./tools/lis_plot.py RUN RUN ... --type=test"""
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_plot.py RUN... [--type=test] [--interval=100] [--save_path=plot.png]

Reads log/loss_N.npz (or the original's log/loss_N.pt) of each run and writes one plot with a line per run. A run is an
experiment, or the folder that its results went to; '--load_paths RUN RUN' is understood too."""

OPTIONS = (
    Parameter("load_paths", "", "a run"),
    Parameter("type", "test", "what is plotted", choices=("test", "dis", "dis-real", "dis-fake", "gen")),
    Parameter("interval", 100, "iterations of which a point is the mean (not for test)", minimum=1),
    Parameter("save_path", "plot.png", "the picture, .png or .jpg"),
)


def folder_of(run: str) -> Path:
    """Where a run's `log` folder lies."""
    if Path(run).is_dir():
        return Path(run)
    if run not in experiment.names():
        raise UserError(f"{run}: is neither a folder nor an experiment; give one with log/loss_N.npz files")
    params = experiment.load(run)
    return Path(params.values.get("save_path") or params.log_dir)


def main(argv):
    runs, options, _ = cli.parse(argv, USAGE, OPTIONS, least=0, most=None, first_is_experiment=False)
    runs = ([options["load_paths"]] if options["load_paths"] else []) + runs
    if not runs:
        raise UserError("no run is given; name experiments or folders with log/loss_N.npz files")
    from tfgan_suite.lis import loss_files, plots
    from tfgan_suite.pictures import saving

    saving.check_output(options["save_path"])
    lines = {run: loss_files.points(loss_files.read(folder_of(run)), options["type"], options["interval"]) for run in runs}
    plots.compare(lines, options["save_path"], f"{options['type']} loss")
    print(f"Wrote {options['save_path']}")


if __name__ == "__main__":
    cli.main(main)
