#!/usr/bin/env python3
"""The losses of a LIS run as a table: ./tools/lis_export_history.py NAME"""
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_export_history.py [NAME] [--load_path_state=FILE] [--save_path=FOLDER]

Writes history.csv, a row per iteration and a column per loss, and plots it as loss.jpg. The history is that of experiment NAME,
or of a *_state.pt file of the original."""

OPTIONS = (
    Parameter("load_path_state", "", "metrics.jsonl of a run, or a *_state.pt file of the original, in place of NAME"),
    Parameter("save_path", "", "folder for the table and the plot (default: the log folder; with a file: where that is)"),
    Parameter("start", 0, "first row that is written", minimum=0),
    Parameter("end", -1, "first row that is not written any more; -1: all are"),
    Parameter("subsample", 1, "only rows divisible by it are written", minimum=1),
    Parameter("kernel_size", 101, "rows of the moving average; 1: none", minimum=1),
)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=0)
    if bool(positionals) == bool(options["load_path_state"]):
        raise UserError("give either an experiment or --load_path_state, a file with a history")
    from tfgan_suite.files import archive
    from tfgan_suite.lis import history, plots

    path = Path(options["load_path_state"])
    if positionals:
        path = Path(experiment.load(positionals[0], overrides).log_dir) / "metrics.jsonl"
    found = history.from_original(path) if path.suffix == ".pt" else history.from_metrics(path)
    if not found.groups:
        raise UserError(f"{path}: holds no losses of a LIS run; was it one, and has it run for --log_every iterations?")
    folder = archive.make_folder(options["save_path"] or path.parent)
    text = found.csv(options["start"], options["end"], options["subsample"], options["kernel_size"])
    archive.write_bytes(folder / "history.csv", text.encode())
    plots.losses(found, folder / "loss.jpg")
    print(f"Wrote {text.count(chr(10))} rows to {folder / 'history.csv'}")


if __name__ == "__main__":
    cli.main(main)
