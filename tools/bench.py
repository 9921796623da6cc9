#!/usr/bin/env python3
"""Measures speed as ratios: ./tools/bench.py SYSTEM [--rounds=15]"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tfgan_suite import cli, registry  # noqa: E402
from tfgan_suite.errors import UserError  # noqa: E402
from tfgan_suite.experiment import Parameter  # noqa: E402

USAGE = """./tools/bench.py SYSTEM [--rounds=15] [--case=TEXT]

Runs the comparisons of a paper (rpgan, sngan, jsreg, lis, pggan) side by side in one process and prints a table of medians and
ratios."""

OPTIONS = (
    Parameter("rounds", 15, "measured rounds of each way", minimum=1),
    Parameter("case", "", "only the cases whose name contains this text"),
)


def main(argv):
    (name,), options, _ = cli.parse(argv, USAGE, OPTIONS, first_is_experiment=False)
    papers = {package.rsplit(".", 1)[1]: system for system, package in registry.folders().items()}
    if name not in papers:
        raise UserError(f"unknown paper '{name}'; there are {', '.join(sorted(papers))}")
    bench = registry.optional(papers[name], "bench")
    if bench is None:
        raise UserError(f"{name}: has no bench.py, nothing to measure")
    import tensorflow as tf

    from tfgan_suite import benchmark

    tf.get_logger().setLevel("ERROR")  # ways that are traced once each look like retracing
    rows = bench.run(options)
    if not rows:
        raise UserError(f"--case={options['case']}: no case of {name} has this in its name")
    print(benchmark.table(rows))


if __name__ == "__main__":
    cli.main(main)
