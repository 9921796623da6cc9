#!/usr/bin/env python3
"""Measures speed as ratios: ./tools/bench.py SYSTEM [--rounds=15]"""
from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/bench.py SYSTEM [--rounds=15] [--case=TEXT] [--json=NEW.json] [--compare=OLD.json]

Runs the comparisons of a paper (rpgan, sngan, jsreg, lis, pggan) side by side in one process and prints a
table of medians and ratios.
peers: the main iteration of each paper against its PyTorch counterpart, where PyTorch is installed, and
against the package of another checkout (--before=FOLDER), each in a process of its own, in turns.
roofline: how much of the rate of a large matrix product an iteration reaches."""

OPTIONS = (
    Parameter("rounds", 15, "measured rounds of each way", minimum=1),
    Parameter("case", "", "only the cases whose name contains this text"),
    Parameter("json", "", "file to write the rows to, with processor, versions and date"),
    Parameter("compare", "", "file of an earlier run: says beside each time what it was then"),
    Parameter("ways", "", "peers: only the ways whose name contains this text, such as float32"),
    Parameter("before", "", "peers: another checkout of this repository to measure as well"),
    Parameter("write", "", "document whose table of this name is replaced by this run's"),
)
PAPERS = ("jsreg", "lis", "pggan", "rpgan", "sngan")
APART = ("peers", "roofline")  # whose ways have processes of their own


def main(argv):
    (name,), options, _ = cli.parse(argv, USAGE, OPTIONS, first_is_experiment=False)
    if name not in (*PAPERS, *APART):
        raise UserError(f"unknown paper '{name}'; there are {', '.join((*PAPERS, *APART))}")
    from benchmarks import report

    before = report.read(options["compare"]) if options["compare"] else None
    rows = _rows(name, options)
    if not rows:
        raise UserError(f"--case={options['case']}: no case of {name} has this in its name")
    result = report.result(name, rows)
    print(report.text(result))
    if before:
        print(report.comparison(before, result))
    if options["json"]:
        report.save(options["json"], result)
    if options["write"]:
        report.insert(options["write"], result)


def _rows(name: str, options: dict) -> list[dict]:
    import importlib

    if name in APART:
        from benchmarks import peers

        return {"peers": peers.run, "roofline": peers.roofline}[name](options)
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # ways that are traced once each look like retracing
    return importlib.import_module(f"benchmarks.{name}").run(options)


if __name__ == "__main__":
    cli.main(main)
