#!/usr/bin/env python3
"""Draws a sheet of samples: ./sample.py NAME[,SEED] OUT [ITERATION]"""
import os
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load

MANY = 10000  # as rothk/Stabilizing_GANs

USAGE = """./sample.py NAME[,SEED] OUT [ITERATION] [--cols=C] [--rows=R] [--n=N] [--label=K]

Writes a sheet of samples (PNG or JPEG, by the name OUT) from the newest checkpoint, or from that of ITERATION.
SEED (default 0) picks the latents; image n of the sheet is number n, counted from 1 in reading order, for interp.py.
  ./sample.py NAME FOLDER/ --n=10000    single pictures image_0.png, ... (and labels.npy of a conditional system): the
                                        samples that tools/evaluate.py judges; called again, it goes on"""

OPTIONS = (
    Parameter("cols", None, "columns of the sheet (default: the system's)", int, minimum=1),
    Parameter("rows", None, "rows of the sheet (default: the system's)", int, minimum=1),
    Parameter("n", None, "single pictures in a folder OUT/ (default: 10000)", int, minimum=1),
    Parameter("label", None, "class of all samples, for conditional systems (default: column k has class k)", int, minimum=0),
)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=2, most=3)
    from tfgan_suite.files.archive import make_folder
    from tfgan_suite.pictures import saving
    from tfgan_suite.training import runs

    name, seed = cli.name_and_seed(positionals[0])
    many = positionals[1].endswith("/") or os.path.isdir(positionals[1])
    if options["n"] and not many:
        raise UserError(f"--n={options['n']}: {positionals[1]} is a file for one sheet; give a folder, {positionals[1]}/")
    out = Path(positionals[1]) if many else saving.check_output(positionals[1])
    params = load(name, overrides)
    system, iteration = runs.open_sampler(params, positionals[2] if len(positionals) > 2 else None, quiet=False)
    check_label(system, options["label"])
    print(f"Generating {out}", flush=True)
    if not system.makes_images:
        system.write_samples(make_folder(out) / "samples.png" if many else out, seed, options["n"])
    elif many:
        single_pictures(system, out, iteration, seed, options)
    else:
        sheet(system, out, seed, options)


def check_label(system, label):
    """Stops where the label is no class of the system."""
    if label is not None and not label < system.classes:
        raise UserError(f"--label={label}: {system.params.name} has {system.classes} classes"
                        + (f", 0 to {system.classes - 1}" if system.classes else "; leave --label out"))


def single_pictures(system, folder, iteration, seed, options):
    """Many samples, a file each."""
    from tfgan_suite.metrics.samples import SystemSamples
    from tfgan_suite.pictures import singles
    from tfgan_suite.training import runs

    samples = SystemSamples(system, options["n"] or MANY, seed, label=options["label"])
    runs.check_memory(system, samples.batch)
    there = singles.write(system, folder, samples, iteration)
    print(f"{len(samples)} pictures in {folder}" + (f", of which {there} were there already" if there else ""))


def sheet(system, out, seed, options):
    """One sheet of samples."""
    from tfgan_suite.pictures import saving, sheets
    from tfgan_suite.training import runs

    rows, cols = options["rows"] or system.grid[0], options["cols"] or system.grid[1]
    runs.check_memory(system, rows * cols)
    labels = system.labels(rows * cols, seed)
    if options["label"] is not None:
        labels = labels * 0 + options["label"]
    images = system.generate(system.latents(rows * cols, seed), labels)
    saving.save(out, sheets.grid(system.to_uint8(images), rows, cols))


if __name__ == "__main__":
    cli.main(main)
