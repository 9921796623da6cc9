#!/usr/bin/env python3
"""Trains an experiment: ./train.py NAME [--name=value ...]"""
from tfgan_suite import cli
from tfgan_suite.experiment import Parameter, load

USAGE = """./train.py NAME [--name=value ...]

Trains the experiment exp/NAME.py, or goes on from its newest checkpoint. Ctrl-C finishes the iteration and
saves.
  ./train.py --list            all experiments
  ./train.py NAME --help       its parameters, their values here and where each comes from
  ./train.py NAME --dry-run    builds everything, prints networks and memory, trains nothing
  ./train.py NAME --tag=seed1 --seed=1    a run of its own, in models/NAME-seed1 and logs/NAME-seed1
  ./train.py NAME --from=500   goes back to iteration 500 (see --keep_every)"""

OPTIONS = (
    Parameter("dry-run", False, "build everything, print networks and a memory estimate, train nothing"),
    Parameter("from", None, "go back to the whole checkpoint of this iteration, or (PGGAN) to the last one "
              "of a resolution, 64x64; later files are moved aside", str),
    Parameter("change", False,
              "go on with values that change what is optimised (losses, penalties, rates, seed)"),
)


def main(argv, system=None, usage=USAGE):
    (name,), options, overrides = cli.parse(argv, usage, OPTIONS, system=system)
    params = load(name, overrides, system)
    if options["dry-run"]:
        from tfgan_suite.training import dry_run

        print(dry_run.describe(params))
        return
    from tfgan_suite.training.trainer import Trainer

    Trainer(params, start=options["from"], change=options["change"]).run()


if __name__ == "__main__":
    cli.main(main)
