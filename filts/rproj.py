#!/usr/bin/env python3
"""Writes random-projection filters: ./filts/rproj.py OUT.npz K,S,F,N [K,S,F,N ...]"""
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.experiment import Parameter

USAGE = """./filts/rproj.py OUT.npz K,S,F,N [K,S,F,N ...] [--seed=S]

Writes N random filters of K x K x 3 -> F channels with stride S for every group; train.py wants them in
wts_dir/filts.npz."""

OPTIONS = (Parameter("seed", None, "seed of the draws (default: different in every call)", int, minimum=0,
                     maximum=2**32 - 1),)


def main(argv):
    (out, *groups), options, _ = cli.parse(argv, USAGE, OPTIONS, least=2, most=None,
                                           first_is_experiment=False)
    from tfgan_suite.layers import projections
    from tfgan_suite.rpgan import filters

    out = out if out.endswith(".npz") else f"{out}.npz"  # as numpy.savez
    for group in groups:
        projections.parse(group)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    print(f"Wrote {filters.write(out, groups, options['seed'])} discriminator projections to {out}.")


if __name__ == "__main__":
    cli.main(main)
