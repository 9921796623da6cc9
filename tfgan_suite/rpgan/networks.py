"""Networks of RP-GAN (arXiv 1705.07831, section 4; ayanc/rpgan `rpglib/{gen,genx,disc,disc0}.py`), as tables.

The generator is DCGAN's with a bias in place of batch norm's scale and shift; each of the K discriminators
sees one fixed random projection of the image. Images are [n, h, w, c].
"""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.activations import lrelu, relu
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import RPGAN
from tfgan_suite.layers.network import Body, Network
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.resample import maps

NORM = Rule(epsilon=1e-3, scale=False, operation=True)
FROZEN = Rule(epsilon=1e-3, scale=False, running="at rest", variance_start=0.0)


def generator_blocks(make: Maker, ksz: int, zlen: int, f1: int, imsz: int) -> list[Chain]:
    """c1: dense to a small map, batch norm with an offset, ReLU; c2, ...: transposed convolutions that double
    the side and halve the channels, normalised alike; the last one has a bias, and tanh makes the image of
    it.

    Raises:
        UserError: imsz is not (ksz - ksz%2) times a power of two, from 2 up.
    """
    side = ksz - ksz % 2
    ratio = imsz // side
    if imsz != side * ratio or ratio < 2 or ratio & (ratio - 1):
        raise UserError(f"imsz={imsz}: with ksz={ksz} the side must be {side} times a power of two, "
                        f"for example {side * 2**max(1, round(math.log2(max(ratio, 2))))}")
    last, small = 1 + int(math.log2(ratio)), maps(side, channel_major=False)
    width = [0, *(f1 // 2**i for i in range(last - 1))]  # of block 1, 2, ...
    dense = Chain(make.dense("c1", zlen, f1 * side**2, bias=False), small)
    return [Chain(dense, make.norm("c1", f1), relu),
            *(Chain(make.deconv(f"c{i}", width[i - 1], width[i], ksz, bias=False),
                    make.norm(f"c{i}", width[i]),
                    relu) for i in range(2, last)),
            Chain(make.deconv(f"c{last}", width[-1], 3, ksz))]


class Generator(Network):
    """Latents [n, zlen] in [-1, 1) -> images [n, imsz, imsz, 3] in [-1, 1].

    Args:
        frozen: hold population statistics `bnm_c{l}_w`, `bnv_c{l}_w` and normalise with them, not the
            batch's.
    """

    convention = RPGAN

    def __init__(self, ksz: int, zlen: int, f1: int, imsz: int, seed: int = 0, frozen: bool = False):
        super().__init__(dtype="float32", autocast=False)
        make = Maker("", RPGAN, seed, rule=FROZEN if frozen else NORM)
        self.blocks = generator_blocks(make, ksz, zlen, f1, imsz)

    def named(self):
        """Kernels, offsets, statistics: the order of the files."""
        order = sorted(super().named().items(),
                       key=lambda pair: (pair[0][:2] == "bn", pair[0].endswith("_b")))
        return dict(order)

    def call(self, z, labels=None, training: bool = False):
        """Images of latents [n, zlen]; without `frozen`, image i depends on the whole batch."""
        h, how = z, Pass.of(labels, training)
        for block in self.blocks:
            h = block(h, how)
        return tf.tanh(tf.cast(h, tf.float32))

    def population(self, z: np.ndarray, chunk: int = 256) -> dict[str, np.ndarray]:
        """Mean and biased variance of every batch norm in one pass over all of z [n, zlen], every layer
        normalised with the statistics of all n. Each level is computed once, in chunks, from the level
        before, which is kept.

        Returns:
            `bnm_c{l}_w` and `bnv_c{l}_w` [channels], float32, for every block but the last.
        """
        parts, found = np.array_split(z, max(1, len(z) // chunk)), {}
        for level, block in enumerate(self.blocks[:-1], 1):
            linear, norm, activation = block.steps
            parts = [tf.cast(linear(tf.constant(part)), tf.float32).numpy() for part in parts]
            count = sum(part[..., 0].size for part in parts)
            mean = sum(part.sum((0, 1, 2), dtype=np.float64) for part in parts) / count
            variance = sum(np.square(part - mean).sum((0, 1, 2)) for part in parts) / count
            found[f"bnm_c{level}_w"], found[f"bnv_c{level}_w"] = np.float32(mean), np.float32(variance)
            factor = tf.math.rsqrt(np.float32(variance) + np.float32(norm.rule.epsilon))
            parts = [activation((part - np.float32(mean)) * factor + norm.offset).numpy() for part in parts]
        return found


class Row(NamedTuple):
    """A layer of a discriminator: kernel side, stride, zeros on each side, channels in and out."""

    size: int
    stride: int
    pad: int
    inputs: int
    outputs: int


def discriminator_table(side: int, channels: int, df: int) -> list[Row]:
    """The layers of a discriminator of images of `side` pixels: 4x4 convolutions that halve the side, with
    leaky ReLU 0.2, and a 2x2 one to a logit. Where the side is no power of two, a map of logits comes out.

    Args:
        side: as the original computes it (image side / stride).
        channels: of the images.
        df: channels after the first layer.

    Returns:
        log2(side) rows; none where the side is too small.
    """
    depth = int(math.log2(side)) if side >= 2 else 0
    widths = [channels, *(df * 2**j for j in range(depth - 1))]
    halving = [Row(4, 2, 1, inputs, outputs) for inputs, outputs in zip(widths, widths[1:])]
    return [*halving, Row(2, 1, 0, widths[-1], 1)] if depth else []


def discriminator(title: str, side: int, channels: int, df: int, seed: int = 0) -> Body:
    """One discriminator; its logits [n] are means over the map of logits.

    Args:
        title: in front of the layers' numbers in the arrays' names: 'c', or 'c5_' of discriminator 5.
    """
    make, steps = Maker(title, RPGAN, seed), []
    for j, row in enumerate(discriminator_table(side, channels, df)):
        pad = (row.pad, row.pad)
        steps += [make.conv(str(j), row.inputs, row.outputs, row.size, row.stride, pad), lrelu]
    return Body(Chain(*steps[:-1], lambda x: tf.reduce_mean(tf.cast(x, tf.float32), (1, 2, 3))), RPGAN)
