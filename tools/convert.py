#!/usr/bin/env python3
"""Turns weights of an original program into a checkpoint of this suite: ./tools/convert.py NAME SOURCE
[ITERATION]"""
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import load, whole

USAGE = """./tools/convert.py NAME SOURCE [ITERATION]

Reads SOURCE, weights written by the original program of experiment NAME (a TensorFlow 1 checkpoint, .pt or
.pth.tar), and writes iter_N.*.npz into the experiment's wts_dir, from where sampling works and training goes
on. N is the number in SOURCE's name, or ITERATION."""


def main(argv):
    positionals, _, overrides = cli.parse(argv, USAGE, least=2, most=3)
    name, source = positionals[:2]
    params = load(name, overrides)
    from tfgan_suite import registry
    from tfgan_suite.files import archive
    from tfgan_suite.files.checkpoints import Checkpoints
    from tfgan_suite.files.lock import Lock
    from tfgan_suite.training import runs

    converter = registry.optional(params.system, "convert")
    if converter is None:
        raise UserError(f"{name}: system {params.system} reads the original's files as they are; put them in "
                        f"{params.wts_dir}")
    arrays = converter.convert(source, params)
    given = positionals[2] if len(positionals) > 2 else None
    decided = arrays.pop("decided", {})
    beside = {name: arrays.pop(name) for name in [n for n in arrays if n.endswith(".npz")]}
    number = whole(given) if given is not None else converter.iteration(source, params)
    if number is None:
        raise UserError(f"'{given}': ITERATION must be a whole number")
    system = runs.build(params)
    for kind, items in arrays.items():
        if kind != "state":
            system.load_original(kind, items)
    missing = set(system.sampling) - set(arrays)
    if missing:
        raise UserError(f"{source}: holds no weights of {', '.join(sorted(missing)).upper()}")
    with Lock(params.wts_dir, "wait for it, or give another --wts_dir (--tag=NAME)"):
        about = {"iteration": number, "system": params.system, "fixed": params.fixed(), "converted": source}
        about.update({"decided": decided} if decided else {})
        for path in Checkpoints(params.wts_dir, tuple(system.networks)).put(number, arrays, about):
            print(f"Wrote {path}")
        for file, items in beside.items():
            archive.make_folder((Path(params.wts_dir) / file).parent)
            archive.write(Path(params.wts_dir) / file, items.items())
            print(f"Wrote {Path(params.wts_dir) / file}")


if __name__ == "__main__":
    cli.main(main)
