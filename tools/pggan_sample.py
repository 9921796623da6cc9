#!/usr/bin/env python3
"""Samples a PGGAN generator from weights alone: tools/pggan_sample.py NAME[,SEED]|FILE [--name=value ...]"""
import os
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load

USAGE = """tools/pggan_sample.py NAME[,SEED]|FILE [--name=value ...]

Writes pictures from the generator of an experiment (its newest checkpoint; with `ema` the averaged one), of
an iter_N.gmodel.npz, or of an original .pth.tar snapshot. Sizes come from the file. NAME takes every
parameter
of the experiment (--wts_dir=DIR, --tag=WORD). SEED draws the latents that sample.py draws, before they are
cut."""

OPTIONS = (
    Parameter("nImages", 20, "images on the sheet; steps of the animation"),
    Parameter("n", None, "so many single pictures in the folder --outputFile in place of the sheet", int,
              minimum=1),
    Parameter("cols", None, "columns of the sheet (default: as the original)", int, minimum=1),
    Parameter("psiCut", 1.5, "latents are kept within this"),
    Parameter("cut", "wrap", "how: remainder (as the original), clipped, or drawn anew",
              choices=("wrap", "clip", "resample")),
    Parameter("ema", None, "take the averaged generator (--noema: the trained one)", bool),
    Parameter("label", None, "class of all images, for weights with classes (default: image k has class "
              "k)", int,
              minimum=0),
    Parameter("latentSize", None, "checked against the weights", type=int),
    Parameter("nChannels", None, "checked against the weights", type=int),
    Parameter("resolution", None, "of the images (default: as far as the generator has grown)", type=int),
    Parameter("wtsFile", "", "the weights, in place of the argument"),
    Parameter("outputFile", "./generated.png", "picture to write; animations get the ending .gif"),
    Parameter("createInterpolGif", False, "an animation between two latents in place of the sheet"),
    Parameter("slerp", False, "an endless walk by slerp through nImages latents in place of the sheet"),
    Parameter("growth", False, "one latent growing through all levels in place of the sheet"),
    Parameter("seed", 0, "of the latents", minimum=0, maximum=2**31 - 1),
    cli.SCALE,
    Parameter("legacy_pictures", False, "negative values are black, as in the original"),
)


def is_file(word: str) -> bool:
    """Whether a word means a file with weights, not an experiment."""
    return word.endswith((".npz", ".tar", ".pth")) or os.path.isfile(word)


def weights_of(words, options, overrides) -> tuple[Path, int]:
    """(the file that the command line means, the seed)."""
    word, seed = options["wtsFile"] or (words[0] if words else ""), options["seed"]
    if not word:
        raise UserError("give an experiment's NAME, or a FILE with weights (.pth.tar or iter_N.gmodel.npz)")
    if is_file(word):
        path = Path(word)
        kinds = {True: ".amodel.npz", False: ".gmodel.npz"}
        if options["ema"] is not None and path.name.endswith((".amodel.npz", ".gmodel.npz")):
            path = path.with_name(path.name[:-len(".gmodel.npz")] + kinds[options["ema"]])
        return path, seed
    from tfgan_suite.training import runs

    name, own = cli.name_and_seed(word)
    params = load(name, overrides)
    # the averaged generator where there is one, as sample.py does
    averaged = params.values.get("ema") if options["ema"] is None else options["ema"]
    kind = "a" if averaged else "g"
    files, number = runs.find_checkpoint(params, kind)
    return files.path(kind, number), own or seed


def check_memory(network, n: int, level: int | None, option: str) -> None:
    """Raises:
        UserError: so many images do not fit.
    """
    from tfgan_suite.files import memory

    side = 4 << (network.sizes.levels - 1 if level is None else level)
    need = n * (network.sizes.latent * 12 + side**2 * network.sizes.image_channels * 8)
    if need > memory.available():
        raise UserError(f"--{option}={n}: needs about {need / 2**30:.1f} GiB of memory, "
                        f"{memory.available() / 2**30:.1f} GiB are free; give fewer")


def check(network, options) -> None:
    """Flags of the original that the weights decide."""
    for name, found in (("latentSize", network.sizes.latent), ("nChannels", network.sizes.image_channels)):
        if options[name] is not None and options[name] != found:
            raise UserError(f"--{name}={options[name]}: these weights have {found}; leave the flag away")


class Drawing:
    """Pictures of latents, as the options say.

    Args:
        network: the generator.
        seed: of the latents.
    """

    def __init__(self, network, options, seed: int):
        from tfgan_suite.pggan import sampling

        self.network, self.options, self.seed = network, options, seed
        self.level = sampling.level_for(network, options["resolution"])
        self.classes, label = network.sizes.classes, options["label"]
        if label is not None and label >= self.classes:
            raise UserError(f"--label={label}: these weights have {self.classes} classes"
                            + ("" if self.classes else "; leave --label out"))

    def latents(self, n: int):
        """The first n of the seed, those of `sample.py`."""
        from tfgan_suite.pggan.sampling import latents

        return latents(n, self.network.sizes.latent, self.seed)

    def cut(self, z):
        """Latents within `psiCut`."""
        from tfgan_suite.pictures import walks

        return walks.cut(z, self.options["psiCut"], self.options["cut"], self.seed)

    def labels(self, numbers):
        """Classes of images of these numbers; None without classes."""
        import numpy as np

        if not self.classes:
            return None
        label = self.options["label"]
        return np.asarray(numbers, np.int32) % self.classes if label is None else np.full(len(numbers),
                                                                                          label, np.int32)

    def pictures(self, z, labels):
        """uint8 [n, s, s, c]."""
        from tfgan_suite.pggan import sampling

        drawn = sampling.draw(self.network, z, self.level, None, labels)
        return sampling.to_bytes(drawn, self.options["legacy_pictures"])


def frames_of(drawing: Drawing, n: int):
    """The frames of the animation that was asked for."""
    from tfgan_suite.pggan import sampling
    from tfgan_suite.pictures import walks

    noise, options = drawing.latents(max(n, 2)), drawing.options
    if options["growth"]:
        return sampling.through_levels(drawing.network, drawing.cut(noise[:1]),
                                       legacy=options["legacy_pictures"],
                                       labels=drawing.labels([0]))
    if options["slerp"]:
        # cut on the way, the walk would jump
        z = walks.loop(drawing.cut(noise), 12)
        return drawing.pictures(z, drawing.labels([0] * len(z)))
    z = drawing.cut(walks.line(noise[0], noise[1], n))
    return walks.there_and_back(drawing.pictures(z, drawing.labels([0] * len(z))))


def write_singles(drawing: Drawing, folder: Path, n: int) -> None:
    """`image_0.png`, ... in a folder, some at a time."""
    from tfgan_suite.files.archive import make_folder
    from tfgan_suite.pictures import saving, singles

    make_folder(folder)
    z, some = drawing.cut(drawing.latents(n)), 16
    for first in range(0, n, some):
        numbers = range(first, min(first + some, n))
        pictures = drawing.pictures(z[first:first + some], drawing.labels(numbers))
        for number, picture in zip(numbers, pictures):
            saving.save(singles.path(folder, number), picture if picture.shape[-1] == 3 else picture[..., 0])
    print(f"{n} pictures in {folder}")


def write_sheet(drawing: Drawing, output: Path, n: int) -> None:
    """The original's sheet."""
    from tfgan_suite.pictures import saving, sheets

    cells = drawing.pictures(drawing.cut(drawing.latents(n)), drawing.labels(range(n)))
    tell(cells, n, "", output)
    sheet, shrunk = sheets.within(sheets.spaced(cells, drawing.options["cols"]))
    if shrunk > 1:
        print(f"shown at 1/{shrunk} of their size, so that the sheet has at most 1080 rows; --n={n} "
              f"--outputFile=FOLDER writes them one by one")
    saving.save(output, sheet, drawing.options["scale"])


def tell(frames, count: int, where: str, output: Path) -> None:
    """What the original prints."""
    side = frames.shape[1]
    print(f"single image size:  {side}x{side}\nnumber of images{' in gif' if where else ''}: {count}")
    print(f"saving {where or 'image'} to: {output}\n")


def main(argv):
    first = cli.positional_of(argv, OPTIONS)
    named = bool(first) and not is_file(first)
    words, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=0, most=1, first_is_experiment=named)
    from tfgan_suite.pggan import sampling
    from tfgan_suite.pictures import saving, sheets

    path, seed = weights_of(words, options, overrides)
    network = sampling.open_generator(path)
    check(network, options)
    drawing, output = Drawing(network, options, seed), Path(options["outputFile"])
    n = options["nImages"] if options["nImages"] > 0 else 20
    if not options["n"]:
        check_memory(network, n, drawing.level, "nImages")
    if options["n"]:
        write_singles(drawing, output.with_suffix("") if output.suffix else output, options["n"])
    elif options["createInterpolGif"] or options["slerp"] or options["growth"]:
        output = saving.check_output(output.with_suffix(".gif"), (".gif",))
        frames = frames_of(drawing, n)
        # the original says its steps
        tell(frames, n if options["createInterpolGif"] else len(frames), "gif", output)
        pictures = [sheets.grid(frame[None], 1, 1) for frame in frames]
        saving.save_gif(output, pictures, 500 if options["createInterpolGif"] else 80,
                        options["scale"])
    else:
        write_sheet(drawing, saving.check_output(output), n)


if __name__ == "__main__":
    cli.main(main)
