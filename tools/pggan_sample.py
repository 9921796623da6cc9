#!/usr/bin/env python3
"""Samples a PGGAN generator from weights alone: tools/pggan_sample.py NAME|FILE [--name=value ...]"""
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load

USAGE = """tools/pggan_sample.py NAME|FILE [--name=value ...]

Writes pictures from the generator of an experiment (its newest checkpoint; with `ema` the averaged one), of
an iter_N.gmodel.npz, or of an original .pth.tar snapshot. Sizes come from the file."""

OPTIONS = (
    Parameter("nImages", 20, "images on the sheet; steps of the animation"),
    Parameter("psiCut", 1.5, "latents are kept within this"),
    Parameter("cut", "wrap", "how: remainder (as the original), clipped, or drawn anew",
              choices=("wrap", "clip", "resample")),
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


def weights_file(words, options) -> Path:
    """The file that the command line means."""
    word = options["wtsFile"] or (words[0] if words else "")
    if not word:
        raise UserError("give an experiment's NAME, or a FILE with weights (.pth.tar or iter_N.gmodel.npz)")
    if word.endswith((".npz", ".tar", ".pth")) or Path(word).is_file():
        return Path(word)
    from tfgan_suite.training import runs

    params = load(word)
    # the averaged generator where there is one, as sample.py does
    kind = "a" if params.values.get("ema") else "g"
    files, number = runs.find_checkpoint(params, kind)
    return files.path(kind, number)


def check(network, options) -> None:
    """Flags of the original that the weights decide."""
    for name, found in (("latentSize", network.sizes.latent), ("nChannels", network.sizes.image_channels)):
        if options[name] is not None and options[name] != found:
            raise UserError(f"--{name}={options[name]}: these weights have {found}; leave the flag away")


def check_memory(network, n: int, level: int) -> None:
    """Raises:
        UserError: so many images do not fit.
    """
    from tfgan_suite.files import memory

    need = n * (network.sizes.latent * 12 + (4 << level)**2 * network.sizes.image_channels * 8)
    if need > memory.available():
        raise UserError(f"--nImages={n}: needs about {need / 2**30:.1f} GiB of memory, "
                        f"{memory.available() / 2**30:.1f} GiB are free; give fewer")


def main(argv):
    words, options, _ = cli.parse(argv, USAGE, OPTIONS, least=0, most=1, first_is_experiment=False)
    from tfgan_suite.pggan import sampling
    from tfgan_suite.pictures import saving, sheets, walks
    from tfgan_suite.random import generator

    network = sampling.open_generator(weights_file(words, options))
    check(network, options)
    level, n, legacy = (
        sampling.level_for(network, options["resolution"]),
        options["nImages"],
        options["legacy_pictures"],
    )
    n = n if n > 0 else 20
    check_memory(network, n, level)
    noise = generator(options["seed"],
                      "samples").standard_normal((max(n, 2), network.sizes.latent)).astype("float32")

    def cut(z):
        return walks.cut(z, options["psiCut"], options["cut"], options["seed"])

    def pictures(z):
        return sampling.draw(network, z, level)

    moving = options["createInterpolGif"] or options["slerp"] or options["growth"]
    output = Path(options["outputFile"])
    output = saving.check_output(output.with_suffix(".gif"),
                                 (".gif",)) if moving else saving.check_output(output)
    if options["growth"]:
        frames = sampling.through_levels(network, cut(noise[:1]), legacy=legacy)
    elif options["slerp"]:
        # cut on the way, the walk would jump
        frames = sampling.to_bytes(pictures(walks.loop(cut(noise), 12)), legacy)
    elif options["createInterpolGif"]:
        frames = walks.there_and_back(sampling.to_bytes(pictures(cut(walks.line(noise[0], noise[1], n))),
                                                        legacy))
    else:
        frames = sampling.to_bytes(pictures(cut(noise[:n])), legacy)
    # the original says its steps
    side, count = frames.shape[1], n if options["createInterpolGif"] else len(frames)
    print(f"single image size:  {side}x{side}\nnumber of images{' in gif' if moving else ''}: {count}")
    print(f"saving {'gif' if moving else 'image'} to: {output}\n")
    if moving:
        columns = [sheets.grid(frame[None], 1, 1) for frame in frames]
        saving.save_gif(output, columns, 500 if options["createInterpolGif"] else 80,
                        options["scale"])
    else:
        saving.save(output, sheets.spaced(frames), options["scale"])


if __name__ == "__main__":
    cli.main(main)
