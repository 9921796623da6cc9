"""Parameters that several systems share. No TensorFlow here.

A system with `--penalty=js` adds `*options.JS` to its tuple, or `*options.js(penalty="js", gamma=2.0)` for other defaults.
"""
from __future__ import annotations

from tfgan_suite.experiment import Parameter


def js(penalty: str = "none", gamma: float = 0.1, annealing: bool = False, decay_factor: float = 0.01) -> tuple:
    """The four parameters, with these defaults (of rothk/Stabilizing_GANs, but for `penalty`)."""
    return (
        Parameter("penalty", penalty, "extra term of the D loss: js is the Jensen-Shannon gradient regulariser",
                  choices=("none", "js")),
        Parameter("gamma", gamma, "weight of the regulariser (at the start); D minimises loss + gamma/2 * regulariser",
                  minimum=0.0, maximum=1e6),
        Parameter("annealing", annealing, "let gamma decay exponentially to decay_factor * gamma"),
        Parameter("decay_factor", decay_factor, "last gamma / first gamma, with annealing", minimum=0.0, maximum=1e6),
    )


JS = js()


def labelled_images(dataset: str, folder: str) -> tuple:
    """The two parameters of a system that trains on images with labels, under the names that its original gives them."""
    return (
        Parameter(dataset, "cifar10", "cifar10 and digits need no preparation; imagenet and folder have a folder per class",
                  choices=("cifar10", "imagenet", "folder", "digits"), fixed=True),
        Parameter(folder, "data/cifar10", "folder of the images (or the CIFAR-10 archive)", change="free"),
    )
