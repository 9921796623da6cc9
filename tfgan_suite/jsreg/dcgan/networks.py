"""G and D of the `carpedm20_DCGAN` program: unconditional, and conditional for MNIST (model.py).

Images are [B, H, W, channels], labels one-hot [B, y] or int [B]; the unconditional networks ignore them. G's
last hidden layer has `gf` filters (64 in the original), D's first one `df`.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.layers import Network
from tfgan_suite.layers.activations import lrelu, relu
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import CARPEDM20
from tfgan_suite.layers.norms import Norm, Rule
from tfgan_suite.layers.passes import REST, Pass
from tfgan_suite.layers.resample import flatten, logits, maps, with_maps

RULES = {  # the values of --bn_mode
    "fused": Rule(running="at rest", operation=True),
    "tf13": Rule(running="at rest", moments="tf13", unbiased=False),
}


def maker(scope: str, bn_mode: str, seed: int) -> Maker:
    """Makes the layers of 'generator/' or 'discriminator/'."""
    return Maker(scope, CARPEDM20, seed, rule=RULES[bn_mode])


def halves(size: tuple, times: int) -> tuple:
    """(height, width) after so many halvings, each rounded up."""
    for _ in range(times):
        size = (-(-size[0] // 2), -(-size[1] // 2))
    return size


class Stages(Network):
    """One chain after the other, each under the name that the original's summaries give to its output."""

    convention = CARPEDM20

    def __init__(self, **stages: Chain):
        super().__init__(dtype="float32", autocast=False)
        layers = [step for chain in stages.values() for step in chain.steps
                  if isinstance(step, tf.keras.layers.Layer)]
        self.in_files = sorted(layers, key=lambda layer: isinstance(layer, Norm))  # files hold the norms last
        self.stages = stages

    def activations(
        self, x, labels=None, training: bool = False, update: bool | None = None
    ) -> dict[str, tf.Tensor]:
        """Name -> output of each stage; the last one is the result."""
        how, found = Pass.of(labels, training, update), {}
        for name, stage in self.stages.items():
            x = found[name] = stage(x, how)
        return found

    def call(self, x, labels=None, training: bool = False, update: bool | None = None):
        """The last stage's output, float32. In training batch norm uses and moves batch statistics."""
        *_, last = self.activations(x, labels, training, update).values()
        return tf.cast(last, tf.float32)


class Labelled(tf.keras.layers.Layer):
    """Appends the labels to each row of [B, n], or to each pixel of [B, H, W, n]."""

    def __init__(self, classes: int):
        super().__init__(dtype="float32", autocast=False)
        self.classes = classes

    def call(self, x, how: Pass = REST):
        """[..., n] -> [..., n + classes]."""
        labels = tf.convert_to_tensor(how.labels)
        labels = labels if labels.dtype.is_floating else tf.one_hot(labels, self.classes)
        return with_maps(x, labels) if x.shape.rank == 4 else tf.concat([x, tf.cast(labels, x.dtype)], 1)


def generator(make: Maker, size: tuple, channels: int, z: int, gf: int) -> Stages:
    """z [B, z] -> images of (height, width) `size` in (-1, 1)."""
    height, width = first = halves(size, 4)
    return Stages(
        g_h0_lin=Chain(make.dense("g_h0_lin", z, height * width * 8 * gf), maps(first, channel_major=False),
                       make.norm("g_bn0", 8 * gf), relu),
        g_h1=Chain(make.deconv("g_h1", 8 * gf, 4 * gf, 5, sides=halves(size, 3)), make.norm("g_bn1", 4 * gf),
                   relu),
        g_h2=Chain(make.deconv("g_h2", 4 * gf, 2 * gf, 5, sides=halves(size, 2)), make.norm("g_bn2", 2 * gf),
                   relu),
        g_h3=Chain(make.deconv("g_h3", 2 * gf, gf, 5, sides=halves(size, 1)), make.norm("g_bn3", gf), relu),
        g_h4_tanh=Chain(make.deconv("g_h4", gf, channels, 5, sides=size), tf.tanh))


def discriminator(make: Maker, size: tuple, channels: int, df: int) -> Stages:
    """Images -> logits [B]."""
    height, width = halves(size, 4)
    return Stages(
        d_h0_conv=Chain(make.conv("d_h0_conv", channels, df, 5, 2), lrelu),
        d_h1_conv=Chain(make.conv("d_h1_conv", df, 2 * df, 5, 2), make.norm("d_bn1", 2 * df), lrelu),
        d_h2_conv=Chain(make.conv("d_h2_conv", 2 * df, 4 * df, 5, 2), make.norm("d_bn2", 4 * df), lrelu),
        d_h3_conv=Chain(make.conv("d_h3_conv", 4 * df, 8 * df, 5, 2), make.norm("d_bn3", 8 * df), lrelu),
        d_h4_lin=Chain(flatten, make.dense("d_h4_lin", height * width * 8 * df, 1), logits))


def conditional_generator(make: Maker, size: tuple, channels: int, z: int, y: int, gf: int,
                          gfc: int) -> Stages:
    """z [B, z] -> images of (height, width) `size`, multiples of four, in (0, 1)."""
    height, width = quarter = halves(size, 2)
    flat, labelled = height * width * 2 * gf, Labelled(y)
    return Stages(
        g_h0_lin=Chain(labelled, make.dense("g_h0_lin", z + y, gfc), make.norm("g_bn0", gfc), relu),
        g_h1_lin=Chain(labelled, make.dense("g_h1_lin", gfc + y, flat), make.norm("g_bn1", flat), relu),
        g_h2=Chain(maps(quarter, channel_major=False), labelled,
                   make.deconv("g_h2", 2 * gf + y, 2 * gf, 5), make.norm("g_bn2", 2 * gf), relu),
        g_h3_sigm=Chain(labelled, make.deconv("g_h3", 2 * gf + y, channels, 5), tf.sigmoid))


def conditional_discriminator(make: Maker, size: tuple, channels: int, y: int, df: int, dfc: int) -> Stages:
    """Images -> logits [B]."""
    height, width = halves(size, 2)
    flat, labelled = height * width * (df + y), Labelled(y)
    return Stages(
        d_h0_conv=Chain(labelled, make.conv("d_h0_conv", channels + y, channels + y, 5, 2), lrelu),
        d_h1_conv=Chain(labelled, make.conv("d_h1_conv", channels + 2 * y, df + y, 5, 2),
                        make.norm("d_bn1", df + y), lrelu),
        d_h2_lin=Chain(flatten, labelled, make.dense("d_h2_lin", flat + y, dfc), make.norm("d_bn2", dfc),
                       lrelu),
        d_h3_lin=Chain(labelled, make.dense("d_h3_lin", dfc + y, 1), logits))
