"""The eight architectures of `gan_64x64.py` (igul222 / rothk), as tables of layers. d is the width, DIM.

Generators map z [n, 128] to images [n, 64, 64, 3] in [-1, 1]; discriminators map images to logits [n].
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfgan_suite.jsreg.gan64.layers import Chain, Make, flatten, gate, leaky_relu, relu, to_maps
from tfgan_suite.layers import Network

NOISE = 128
SIDE = 64


class Net64(Network):
    """A generator or a discriminator: one chain of layers, whose result is float32."""

    def __init__(self, body: Chain):
        super().__init__()
        self.body = body

    def call(self, x):
        return tf.cast(self.body(x), tf.float32)


def _logits(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1])


def _image(x: tf.Tensor) -> tf.Tensor:
    return tf.transpose(tf.reshape(x, [-1, 3, SIDE, SIDE]), [0, 2, 3, 1])


def _fifth(x: tf.Tensor) -> tf.Tensor:
    return x / 5.0


def dcgan_generator(make: Make, activation=relu) -> Chain:
    """Radford et al. 2015; every layer has a bias, also before batch norm."""
    d, make = make.dim, make.but(stdev=0.02)
    return Chain(make.linear("Input", NOISE, 128 * d), to_maps, make.norm("BN1", 8 * d), activation,
                 make.deconv("2", 8 * d, 4 * d, 5), make.norm("BN2", 4 * d), activation,
                 make.deconv("3", 4 * d, 2 * d, 5), make.norm("BN3", 2 * d), activation,
                 make.deconv("4", 2 * d, d, 5), make.norm("BN4", d), activation,
                 make.deconv("5", d, 3, 5), tf.tanh)


def dcgan_discriminator(make: Make, activation=leaky_relu) -> Chain:
    """Its counterpart; the first layer is not normalised."""
    d, make = make.dim, make.but(stdev=0.02)
    return Chain(make.conv("1", 3, d, 5, 2), activation,
                 make.conv("2", d, 2 * d, 5, 2), make.norm("BN2", 2 * d), activation,
                 make.conv("3", 2 * d, 4 * d, 5, 2), make.norm("BN3", 4 * d), activation,
                 make.conv("4", 4 * d, 8 * d, 5, 2), make.norm("BN4", 8 * d), activation,
                 flatten, make.linear("Output", 128 * d, 1), _logits)


def constant_filters_generator(make: Make) -> Chain:
    """As many filters in every layer, and no batch norm."""
    d = make.dim
    return Chain(make.linear("Input", NOISE, 16 * d), relu, to_maps,
                 make.deconv("2", d, d, 5), relu,
                 make.deconv("3", d, d, 5), relu,
                 make.deconv("4", d, d, 5), relu,
                 make.deconv("5", d, 3, 5), tf.tanh)


def mlp_generator(make: Make) -> Chain:
    """Four hidden layers."""
    h = make.hidden
    return Chain(make.linear("1.Linear", NOISE, h, he=True), relu,
                 make.linear("2.Linear", h, h, he=True), relu,
                 make.linear("3.Linear", h, h, he=True), relu,
                 make.linear("4.Linear", h, h, he=True), relu,
                 make.linear("Out", h, SIDE * SIDE * 3), tf.tanh, _image)


def gated_generator(make: Make) -> Chain:
    """DCGAN with multiplicative non-linearities, which halve the channels; normalised before the gate."""
    d = make.dim
    return Chain(make.linear("Input", NOISE, 256 * d), to_maps, make.norm("BN1", 16 * d), gate,
                 make.deconv("2", 8 * d, 8 * d, 5), make.norm("BN2", 8 * d), gate,
                 make.deconv("3", 4 * d, 4 * d, 5), make.norm("BN3", 4 * d), gate,
                 make.deconv("4", 2 * d, 2 * d, 5), make.norm("BN4", 2 * d), gate,
                 make.deconv("5", d, 3, 5), tf.tanh)


def gated_discriminator(make: Make) -> Chain:
    """Its counterpart."""
    d = make.dim
    return Chain(make.conv("1", 3, 2 * d, 5, 2), gate,
                 make.conv("2", d, 4 * d, 5, 2), make.norm("BN2", 4 * d), gate,
                 make.conv("3", 2 * d, 8 * d, 5, 2), make.norm("BN3", 8 * d), gate,
                 make.conv("4", 4 * d, 16 * d, 5, 2), make.norm("BN4", 16 * d), gate,
                 flatten, make.linear("Output", 128 * d, 1), _logits)


def resnet_generator(make: Make) -> Chain:
    """Gulrajani et al. 2017, the 64x64 ResNet."""
    d = make.dim
    return Chain(make.linear("Input", NOISE, 128 * d), to_maps,
                 make.residual("Res1", 8 * d, 8 * d, "up"),
                 make.residual("Res2", 8 * d, 4 * d, "up"),
                 make.residual("Res3", 4 * d, 2 * d, "up"),
                 make.residual("Res4", 2 * d, d, "up"),
                 make.norm("OutputN", d), relu, make.conv("Output", d, 3, 3), tf.tanh)


def resnet_discriminator(make: Make) -> Chain:
    """Its counterpart; nothing between the last block and the linear layer."""
    d = make.dim
    return Chain(make.conv("Input", 3, d, 3, he=False),
                 make.residual("Res1", d, 2 * d, "down"),
                 make.residual("Res2", 2 * d, 4 * d, "down"),
                 make.residual("Res3", 4 * d, 8 * d, "down"),
                 make.residual("Res4", 8 * d, 8 * d, "down"),
                 flatten, make.linear("Output", 128 * d, 1), _logits)


def _blocks(make: Make, side: int, width: int, count: int) -> list:
    return [make.bottleneck(f"{side}x{side}_{i}", width, width) for i in range(count)]


def resnet101_generator(make: Make) -> Chain:
    """101 layers of bottleneck blocks; the image is tanh(output / 5)."""
    d = make.dim
    widths = ((4, 8 * d), (8, 4 * d), (16, 2 * d), (32, d))
    steps = []
    for i, (side, width) in enumerate(widths):
        narrower = width // 2
        steps += [*_blocks(make, side, width, 6), make.bottleneck(f"Up{i + 1}", width, narrower, "up")]
    return Chain(make.linear("Input", NOISE, 128 * d), to_maps, *steps, *_blocks(make, SIDE, d // 2, 5),
                 make.conv("Out", d // 2, 3, 1, he=False), _fifth, tf.tanh)


def resnet101_discriminator(make: Make) -> Chain:
    """Its mirror image; the logit is output / 5."""
    d = make.dim
    widths = ((32, d), (16, 2 * d), (8, 4 * d), (4, 8 * d))
    steps = _blocks(make, SIDE, d // 2, 5)
    for i, (side, width) in enumerate(widths):
        steps += [make.bottleneck(f"Down{i + 1}", width // 2, width, "down"), *_blocks(make, side, width, 6)]
    return Chain(make.conv("In", 3, d // 2, 1, he=False), *steps, flatten, make.linear("Output", 128 * d, 1), _logits, _fifth)


def without_norm(network: Callable[[Make], Chain]) -> Callable[[Make], Chain]:
    """The same network with no normalisation in it."""
    return lambda make: network(make.but(norm_kind="none"))


@dataclass(frozen=True)
class Architecture:
    """The two networks that a value of `--architecture` stands for."""

    generator: Callable[[Make], Chain]
    discriminator: Callable[[Make], Chain]


ARCHITECTURES = {
    "ResNet": Architecture(resnet_generator, resnet_discriminator),
    "DCGAN": Architecture(dcgan_generator, dcgan_discriminator),
    "ConstNumofFilters": Architecture(constant_filters_generator, dcgan_discriminator),
    "MLP": Architecture(mlp_generator, dcgan_discriminator),
    "NoNormalization": Architecture(without_norm(dcgan_generator), without_norm(dcgan_discriminator)),
    "Gated": Architecture(gated_generator, gated_discriminator),
    "tanh": Architecture(partial(dcgan_generator, activation=tf.tanh), partial(dcgan_discriminator, activation=tf.tanh)),
    "ResNet101": Architecture(resnet101_generator, resnet101_discriminator),
}
