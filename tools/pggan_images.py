#!/usr/bin/env python3
"""Statistics, cleaning and VGG16 scores of images: tools/pggan_images.py stats|clean|features ..."""

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """tools/pggan_images.py stats FOLDER | clean FOLDER TARGET | features --img_path=FILE

stats     writes mean.jpg and std<BAND>.jpg of a folder's pictures into stats/, or into --target
clean     copies a folder's .jpg files, without unreadable ones, small ones (--res) and ones without a face
          (--searchFaces)
features  prints the 1000 scores of VGG16 for one image"""

OPTIONS = (
    Parameter("target", "", "stats: folder to write to"),
    Parameter("res", None, "clean: least size of the smaller side", type=int),
    Parameter("searchFaces", False, "look for anime faces (needs the package animeface)"),
    Parameter("faceThreshold", 0.5, "clean: least likelihood of the first face", minimum=0, maximum=1),
    Parameter("img_path", "", "features: the image"),
    Parameter("weights", "", "features: torchvision's vgg16-397923af.pth"),
)


def stats(words, options):
    from tfgan_suite.pggan import image_tools

    likelihood = image_tools.face_likelihood() if options["searchFaces"] else None
    for name, value in image_tools.statistics(words[0], options["target"] or None, likelihood).items():
        print(f"{name}: {value:g}")


def clean(words, options):
    from tfgan_suite.pggan import image_tools

    likelihood = image_tools.face_likelihood() if options["searchFaces"] else None
    copied, left = image_tools.clean(words[0], words[1], options["res"], likelihood, options["faceThreshold"])
    print(f"copied {copied} images to {words[1]}, left {left} behind")


def features(words, options):
    if not options["img_path"]:
        raise UserError("features needs --img_path=FILE")
    from tfgan_suite.pggan import vgg

    weights = vgg.read_weights(options["weights"] or None)
    print(*vgg.logits(weights, vgg.preprocess(options["img_path"]))[0])


COMMANDS = {"stats": (stats, 1), "clean": (clean, 2), "features": (features, 0)}


def main(argv):
    words, options, _ = cli.parse(argv, USAGE, OPTIONS, least=1, most=3, first_is_experiment=False)
    if words[0] not in COMMANDS:
        raise UserError(f"unknown command '{words[0]}'; there are {', '.join(COMMANDS)}")
    function, count = COMMANDS[words[0]]
    if len(words) - 1 != count:
        raise UserError(f"{words[0]} needs {count} argument{'s' * (count != 1)}; --help shows the usage")
    function(words[1:], options)


if __name__ == "__main__":
    cli.main(main)
