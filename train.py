#!/usr/bin/env python3
"""Trains an experiment: ./train.py NAME [--name=value ...]"""
from tfgan_suite import cli
from tfgan_suite.experiment import Parameter, load

USAGE = """./train.py NAME [--name=value ...]

Trains the experiment exp/NAME.py, or goes on from its newest checkpoint. Ctrl-C finishes the iteration and saves.
  ./train.py --list          all experiments
  ./train.py NAME --help     its parameters, their values here and where each comes from
  ./train.py NAME --dry-run  builds everything, prints networks and memory, trains nothing"""

OPTIONS = (Parameter("dry-run", False, "build everything, print networks and a memory estimate, train nothing"),)


def main(argv, system=None):
    (name,), options, overrides = cli.parse(argv, USAGE, OPTIONS, system=system)
    params = load(name, overrides, system)
    from tfgan_suite.training.trainer import Trainer

    trainer = Trainer(params)
    if options["dry-run"]:
        from tfgan_suite.training import dry_run

        print(dry_run.describe(trainer))
    else:
        trainer.run()


if __name__ == "__main__":
    cli.main(main)
