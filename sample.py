#!/usr/bin/env python3
"""Draws a sheet of samples: ./sample.py NAME[,SEED] OUT [ITERATION]"""
from tfgan_suite import cli
from tfgan_suite.experiment import Parameter, load

USAGE = """./sample.py NAME[,SEED] OUT [ITERATION] [--cols=C] [--rows=R] [--label=K|--classes=A,B,...]

Writes a sheet of samples (PNG or JPEG, by the name OUT) from the newest checkpoint, or from that of ITERATION.
SEED (default 0) picks the latents; image n of the sheet is number n, counted from 1 in reading order, for interp.py."""

OPTIONS = (
    Parameter("cols", None, "columns of the sheet (default: the system's)", int, minimum=1),
    Parameter("rows", None, "rows of the sheet (default: the system's)", int, minimum=1),
    Parameter("classes", None, "A,B,...: a column for each of these classes, for conditional systems", str),
    Parameter("label", None, "class of all samples, for conditional systems (default: column k has class k)", int, minimum=0),
)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=2, most=3)
    from tfgan_suite.pictures import saving, sheets, walks
    from tfgan_suite.training import runs

    name, seed = cli.name_and_seed(positionals[0])
    out = saving.check_output(positionals[1])
    params = load(name, overrides)
    system, _ = runs.open_sampler(params, positionals[2] if len(positionals) > 2 else None, quiet=False)
    if not system.makes_images:
        print(f"Generating {out}", flush=True)
        system.write_samples(out, seed)
        return
    chosen = walks.class_list(options["classes"], system.classes, name, "classes", 1)
    if chosen and options["label"] is not None:
        raise UserError("--label and --classes: give one of them")
    rows, cols = options["rows"] or system.grid[0], options["cols"] or (len(chosen) if chosen else system.grid[1])
    images = runs.sample(system, rows * cols, seed, options["label"])
    print(f"Generating {out}", flush=True)
    saving.save(out, sheets.grid(images, rows, cols))


if __name__ == "__main__":
    cli.main(main)
