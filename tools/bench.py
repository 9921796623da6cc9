#!/usr/bin/env python3
"""Measures speed as ratios: ./tools/bench.py SYSTEM [--rounds=15]"""
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/bench.py SYSTEM [--rounds=15] [--case=TEXT]

Runs the comparisons of a paper (rpgan, sngan, jsreg, lis, pggan) side by side in one process and prints a
table of medians and ratios."""

OPTIONS = (
    Parameter("rounds", 15, "measured rounds of each way", minimum=1),
    Parameter("case", "", "only the cases whose name contains this text"),
)


def main(argv):
    (name,), options, _ = cli.parse(argv, USAGE, OPTIONS, first_is_experiment=False)
    papers = sorted(p.stem for p in (Path(__file__).parent / "benchmarks").glob("*.py")
                    if p.stem not in ("__init__", "timing"))
    if name not in papers:
        raise UserError(f"unknown paper '{name}'; there are {', '.join(papers)}")
    import importlib

    import tensorflow as tf
    from benchmarks import timing

    tf.get_logger().setLevel("ERROR")  # ways that are traced once each look like retracing
    bench = importlib.import_module(f"benchmarks.{name}")
    rows = bench.run(options)
    if not rows:
        raise UserError(f"--case={options['case']}: no case of {name} has this in its name")
    print(timing.table(rows))


if __name__ == "__main__":
    cli.main(main)
