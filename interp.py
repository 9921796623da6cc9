#!/usr/bin/env python3
"""Draws interpolations between samples: ./interp.py NAME[,SEED[,ITERATION]] OUT L,R [L,R ...]"""
from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load, whole

USAGE = """./interp.py NAME[,SEED[,ITERATION]] OUT L,R [L,R ...] [--cols=11] [--gif] [--scale=S]

Writes a row of images for every pair L,R: from image number L of the sheet that sample.py draws with the same
SEED to image number R (counted from 1 in reading order)."""

OPTIONS = (
    Parameter("cols", 11, "images in a row", minimum=2),
    Parameter("rows", None, "pairs in one sheet (default: all); a longer list of pairs is cut", int,
              minimum=1),
    Parameter("gif", False, "write an animated strip: OUT ends in .gif"),
    Parameter("labels", None, "A,B,...: classes from the left to the right end, for conditional systems",
              str),
    cli.SCALE,
)


def pairs_of(words, count):
    """The pairs of numbers, 1 to `count`."""
    pairs = []
    for word in words:
        numbers = [whole(text) for text in word.split(",")]
        if len(numbers) != 2 or None in numbers:
            raise UserError(f"'{word}': give a pair L,R of two image numbers, for example 137,65")
        for n in numbers:
            if not 1 <= n <= count:
                raise UserError(f"'{word}': image {n} is out of range; numbers go from 1 to {count}")
        pairs.append(tuple(numbers))
    return pairs


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=3, most=None)
    from tfgan_suite.pictures import saving, sheets, walks
    from tfgan_suite.training import runs

    head, out, words = positionals[0], positionals[1], positionals[2:]
    name, seed, iteration = cli.name_seed_iteration(head)
    out = saving.check_output(out, (".gif",) if options["gif"] else saving.WRITABLE)
    params = load(name, overrides)
    system, _ = runs.open_interpolator(params, iteration)
    pairs = pairs_of(words, system.grid[0] * system.grid[1])[:options["rows"]]
    ends = walks.class_list(options["labels"], system.classes, name)
    runs.check_memory(system, len(pairs) * options["cols"])
    print(f"Generating {out}", flush=True)
    strips = walks.strips(system, pairs, seed, options["cols"], ends)
    if options["gif"]:
        frames = [sheets.grid(strips[:, k], len(pairs), 1) for k in range(options["cols"])]
        saving.save_gif(out, frames, scale=options["scale"])
    else:
        rows, cols = strips.shape[:2]
        saving.save(out, sheets.grid(strips.reshape(-1, *strips.shape[2:]), rows, cols), options["scale"])


if __name__ == "__main__":
    cli.main(main)
