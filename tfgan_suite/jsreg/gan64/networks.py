"""The eight architectures of `gan_64x64.py` (igul222 / rothk), as tables of layers. d is the width, DIM.

Generators map z [n, 128] to images [n, 64, 64, 3] in [-1, 1]; discriminators map images to logits [n]. Batch
norm always takes
the statistics of the present batch: the original has no others.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfgan_suite.layers.activations import gate, lrelu, relu
from tfgan_suite.layers.blocks import Chain, Maker, Residual
from tfgan_suite.layers.resample import flatten_channel_major, logits, maps, mean_pool, nearest, shuffle

NOISE = 128
SIDE = 64


def _fifth(x: tf.Tensor) -> tf.Tensor:
    return x / 5.0


def residual(make: Maker, title: str, inputs: int, outputs: int, resample: str = "") -> Residual:
    """Pre-activation block with two 3x3 convolutions; `resample` is 'up', 'down' or ''.

    Up-sampling comes before a convolution and pooling after it, in the shortcut before it too.
    """
    before, after = {"up": [nearest]}.get(resample, []), {"down": [mean_pool]}.get(resample, [])
    middle = outputs if resample == "up" else inputs
    shortcut = tf.identity
    if resample or inputs != outputs:
        shortcut = Chain(*before, *after, make.conv(f"{title}.Shortcut", inputs, outputs, 1, he=False))
    return Residual(shortcut, Chain(
        make.norm(f"{title}.BN1", inputs), relu, *before,
        make.conv(f"{title}.Conv1", inputs, middle, 3, bias=False),
        make.norm(f"{title}.BN2", middle), relu, make.conv(f"{title}.Conv2", middle, outputs, 3), *after))


def bottleneck(make: Maker, title: str, inputs: int, outputs: int, resample: str = "") -> Residual:
    """1x1, 3x3, 1x1 convolutions through half the channels, scaled by 0.3; `resample` is 'up', 'down' or
    ''."""
    half, stride = (inputs // 2, outputs // 2), 2 if resample == "down" else 1
    shortcut = tf.identity
    if resample == "up":
        shortcut = Chain(make.conv(f"{title}.Shortcut", inputs, 4 * outputs, 1, he=False), shuffle)
    elif resample or inputs != outputs:
        shortcut = make.conv(f"{title}.Shortcut", inputs, outputs, 1, stride, he=False)
    first = make.conv(f"{title}.Conv1", inputs, half[0], 1)
    middle = (
        make.deconv(f"{title}.Conv1B", *half, 3)
        if resample == "up"
        else make.conv(f"{title}.Conv1B", *half, 3, stride)
    )
    last = make.conv(f"{title}.Conv2", half[1], outputs, 1, bias=False)
    return Residual(shortcut, Chain(relu, first, relu, middle, relu, last, make.norm(f"{title}.BN", outputs)),
                    0.3)


def dcgan_generator(make: Maker, d: int, activation=relu) -> Chain:
    """Radford et al. 2015; every layer has a bias, also before batch norm."""
    make = make.but(deviation=0.02)
    return Chain(make.dense("Input", NOISE, 128 * d), maps(4), make.norm("BN1", 8 * d), activation,
                 make.deconv("2", 8 * d, 4 * d, 5), make.norm("BN2", 4 * d), activation,
                 make.deconv("3", 4 * d, 2 * d, 5), make.norm("BN3", 2 * d), activation,
                 make.deconv("4", 2 * d, d, 5), make.norm("BN4", d), activation,
                 make.deconv("5", d, 3, 5), tf.tanh)


def dcgan_discriminator(make: Maker, d: int, activation=lrelu) -> Chain:
    """Its counterpart; the first layer is not normalised."""
    make = make.but(deviation=0.02)
    return Chain(make.conv("1", 3, d, 5, 2), activation,
                 make.conv("2", d, 2 * d, 5, 2), make.norm("BN2", 2 * d), activation,
                 make.conv("3", 2 * d, 4 * d, 5, 2), make.norm("BN3", 4 * d), activation,
                 make.conv("4", 4 * d, 8 * d, 5, 2), make.norm("BN4", 8 * d), activation,
                 flatten_channel_major, make.dense("Output", 128 * d, 1), logits)


def constant_filters_generator(make: Maker, d: int) -> Chain:
    """As many filters in every layer, and no batch norm."""
    return Chain(make.dense("Input", NOISE, 16 * d), relu, maps(4),
                 make.deconv("2", d, d, 5), relu,
                 make.deconv("3", d, d, 5), relu,
                 make.deconv("4", d, d, 5), relu,
                 make.deconv("5", d, 3, 5), tf.tanh)


def mlp_generator(make: Maker, h: int) -> Chain:
    """Four hidden layers of width h, FC_DIM."""
    return Chain(make.dense("1.Linear", NOISE, h, he=True), relu,
                 make.dense("2.Linear", h, h, he=True), relu,
                 make.dense("3.Linear", h, h, he=True), relu,
                 make.dense("4.Linear", h, h, he=True), relu,
                 make.dense("Out", h, SIDE * SIDE * 3), tf.tanh, maps(SIDE))


def gated_generator(make: Maker, d: int) -> Chain:
    """DCGAN with multiplicative non-linearities, which halve the channels; normalised before the gate."""
    return Chain(make.dense("Input", NOISE, 256 * d), maps(4), make.norm("BN1", 16 * d), gate,
                 make.deconv("2", 8 * d, 8 * d, 5), make.norm("BN2", 8 * d), gate,
                 make.deconv("3", 4 * d, 4 * d, 5), make.norm("BN3", 4 * d), gate,
                 make.deconv("4", 2 * d, 2 * d, 5), make.norm("BN4", 2 * d), gate,
                 make.deconv("5", d, 3, 5), tf.tanh)


def gated_discriminator(make: Maker, d: int) -> Chain:
    """Its counterpart."""
    return Chain(make.conv("1", 3, 2 * d, 5, 2), gate,
                 make.conv("2", d, 4 * d, 5, 2), make.norm("BN2", 4 * d), gate,
                 make.conv("3", 2 * d, 8 * d, 5, 2), make.norm("BN3", 8 * d), gate,
                 make.conv("4", 4 * d, 16 * d, 5, 2), make.norm("BN4", 16 * d), gate,
                 flatten_channel_major, make.dense("Output", 128 * d, 1), logits)


def resnet_generator(make: Maker, d: int) -> Chain:
    """Gulrajani et al. 2017, the 64x64 ResNet."""
    return Chain(make.dense("Input", NOISE, 128 * d), maps(4),
                 residual(make, "Res1", 8 * d, 8 * d, "up"),
                 residual(make, "Res2", 8 * d, 4 * d, "up"),
                 residual(make, "Res3", 4 * d, 2 * d, "up"),
                 residual(make, "Res4", 2 * d, d, "up"),
                 make.norm("OutputN", d), relu, make.conv("Output", d, 3, 3), tf.tanh)


def resnet_discriminator(make: Maker, d: int) -> Chain:
    """Its counterpart; nothing between the last block and the linear layer."""
    return Chain(make.conv("Input", 3, d, 3, he=False),
                 residual(make, "Res1", d, 2 * d, "down"),
                 residual(make, "Res2", 2 * d, 4 * d, "down"),
                 residual(make, "Res3", 4 * d, 8 * d, "down"),
                 residual(make, "Res4", 8 * d, 8 * d, "down"),
                 flatten_channel_major, make.dense("Output", 128 * d, 1), logits)


def _blocks(make: Maker, side: int, width: int, count: int) -> list:
    return [bottleneck(make, f"{side}x{side}_{i}", width, width) for i in range(count)]


def resnet101_generator(make: Maker, d: int) -> Chain:
    """101 layers of bottleneck blocks; the image is tanh(output / 5)."""
    steps = []
    for i, (side, width) in enumerate(((4, 8 * d), (8, 4 * d), (16, 2 * d), (32, d)), 1):
        steps += [*_blocks(make, side, width, 6), bottleneck(make, f"Up{i}", width, width // 2, "up")]
    return Chain(make.dense("Input", NOISE, 128 * d), maps(4), *steps, *_blocks(make, SIDE, d // 2, 5),
                 make.conv("Out", d // 2, 3, 1, he=False), _fifth, tf.tanh)


def resnet101_discriminator(make: Maker, d: int) -> Chain:
    """Its mirror image; the logit is output / 5."""
    steps = _blocks(make, SIDE, d // 2, 5)
    for i, (side, width) in enumerate(((32, d), (16, 2 * d), (8, 4 * d), (4, 8 * d)), 1):
        steps += [bottleneck(make, f"Down{i}", width // 2, width, "down"), *_blocks(make, side, width, 6)]
    return Chain(make.conv("In", 3, d // 2, 1, he=False), *steps,
                 flatten_channel_major, make.dense("Output", 128 * d, 1), logits, _fifth)


Table = Callable[[Maker, int], Chain]  # of a maker and a width


def without_norm(network: Table) -> Table:
    """The same network with no normalisation in it."""
    return lambda make, d: network(make.but(rule=None), d)


@dataclass(frozen=True)
class Architecture:
    """The two networks that a value of `--architecture` stands for.

    Attributes:
        by_hidden: the generator's width is FC_DIM, not DIM.
    """

    generator: Table
    discriminator: Table
    by_hidden: bool = False


ARCHITECTURES = {
    "ResNet": Architecture(resnet_generator, resnet_discriminator),
    "DCGAN": Architecture(dcgan_generator, dcgan_discriminator),
    "ConstNumofFilters": Architecture(constant_filters_generator, dcgan_discriminator),
    "MLP": Architecture(mlp_generator, dcgan_discriminator, by_hidden=True),
    "NoNormalization": Architecture(without_norm(dcgan_generator), without_norm(dcgan_discriminator)),
    "Gated": Architecture(gated_generator, gated_discriminator),
    "tanh": Architecture(partial(dcgan_generator, activation=tf.tanh),
                         partial(dcgan_discriminator, activation=tf.tanh)),
    "ResNet101": Architecture(resnet101_generator, resnet101_discriminator),
}
