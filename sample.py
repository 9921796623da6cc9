#!/usr/bin/env python3
"""Draws a sheet of samples, or many single pictures: ./sample.py NAME[,SEED] OUT [ITERATION]"""
import os
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load

MANY = 10000  # as rothk/Stabilizing_GANs

USAGE = """./sample.py NAME[,SEED] OUT [ITERATION] [--cols=C] [--rows=R] [--label=K|--classes=A,B] [--scale=S]

Writes a sheet of samples (PNG or JPEG, by the name OUT) from the newest checkpoint, or from that of
ITERATION. SEED (default 0) picks the latents; image n of the sheet is number n, counted from 1 in reading
order, for interp.py.
  ./sample.py NAME FOLDER/ --n=10000    single pictures image_0.png, ... (and labels.npy of a
                                        conditional system):
                                        the samples that tools/evaluate.py judges; called again, it goes on"""

OPTIONS = (
    Parameter("cols", None, "columns of the sheet (default: the system's)", int, minimum=1),
    Parameter("rows", None, "rows of the sheet (default: the system's)", int, minimum=1),
    Parameter("n", None, "single pictures in a folder OUT/ (default: 10000)", int, minimum=1),
    Parameter("classes", None, "A,B,...: a column for each of these classes, for conditional systems", str),
    Parameter("label", None, "class of all samples, for conditional systems (default: column k has class k)",
              int,
              minimum=0),
    cli.SCALE,
)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=2, most=3)
    from tfgan_suite.files.archive import make_folder
    from tfgan_suite.pictures import saving
    from tfgan_suite.training import runs

    name, seed = cli.name_and_seed(positionals[0])
    many = positionals[1].endswith("/") or os.path.isdir(positionals[1])
    if options["n"] and not many:
        raise UserError(f"--n={options['n']}: {positionals[1]} is a file for one sheet; give a folder, "
                        f"{positionals[1]}/")
    out = Path(positionals[1]) if many else saving.check_output(positionals[1])
    params = load(name, overrides)
    number = positionals[2] if len(positionals) > 2 else None
    system, iteration = runs.open_sampler(params, number, quiet=False)
    runs.check_label(system, options["label"])
    if options["scale"] > 1 and (many or not system.makes_images):
        raise UserError("--scale: enlarges sheets of images only; leave it out")
    if not system.makes_images:
        print(f"Generating {out}", flush=True)
        system.write_samples(make_folder(out) / "samples.png" if many else out, seed, options["n"])
    elif many:
        print(f"Generating {out}", flush=True)
        single_pictures(system, out, iteration, seed, options)
    else:
        sheet(system, out, seed, options)


def single_pictures(system, folder, iteration, seed, options):
    """Many samples, a file each."""
    from tfgan_suite.metrics.samples import SystemSamples
    from tfgan_suite.pictures import singles
    from tfgan_suite.training import runs

    samples = SystemSamples(system, options["n"] or MANY, seed, label=options["label"])
    runs.check_memory(system, samples.batch)
    there = singles.write(system, folder, samples, iteration)
    print(f"{len(samples)} pictures in {folder}"
          + (f", of which {there} were there already" if there else ""))


def sheet(system, out, seed, options):
    """One sheet of samples."""
    from tfgan_suite.pictures import saving, sheets, walks
    from tfgan_suite.training import runs

    chosen = walks.class_list(options["classes"], system.classes, system.params.name, "classes", 1)
    if chosen and options["label"] is not None:
        raise UserError("--label and --classes: give one of them")
    rows = options["rows"] or system.grid[0]
    cols = options["cols"] or (len(chosen) if chosen else system.grid[1])
    print(f"Generating {out}", flush=True)
    classes = sheets.in_columns(chosen, rows, cols) if chosen else None
    images = runs.sample(system, rows * cols, seed, options["label"], classes)
    saving.save(out, sheets.grid(images, rows, cols), options["scale"])


if __name__ == "__main__":
    cli.main(main)
