"""Generator and critic of PGGAN: one pair for all resolutions, as tables of blocks.

nf(s) channels at stage s; level l works at 4 * 2^l pixels.

| generator | | critic | |
|---|---|---|---|
| level 0 | dense to 4x4, conv 3x3, pixel norm | level 0 | minibatch stddev, conv 3x3, conv 4x4, dense |
| level l | bilinear x2, twice conv 3x3 + pixel norm | level l | twice conv 3x3, average of 2x2 |
| toRGB l | conv 1x1 | fromRGB l | conv 1x1 |

Every conv and dense layer but toRGB and the last is followed by a leaky ReLU. While level l fades in with
weight alpha, the generator mixes the pictures of toRGB l and of toRGB l-1. The critic runs two complete paths
and mixes them after every lower level (the paper mixes once, after level l).

Weights are drawn from N(0, 1) and the outputs multiplied by a constant (Karras et al., ICLR 2018, section
4.1), here with the constants of alenmora/ppgan (modelUtils.py), which differ from the paper's in the dense
layers.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.activations import lrelu
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import PPGAN
from tfgan_suite.layers.linear import compute_dtype
from tfgan_suite.layers.network import Network
from tfgan_suite.layers.norms import minibatch_stddev, pixel_norm
from tfgan_suite.layers.resample import bilinear, flatten, maps, mean_pool, nearest
from tfgan_suite.layers.weights import Equalised

SQRT2 = math.sqrt(2.0)


def channels(stage: int, base: float, most: int, decay: float) -> int:
    """nf(stage) = min(base / 2^(stage * decay), most), truncated."""
    return min(int(base / 2.0 ** (stage * decay)), most)


@dataclass(frozen=True)
class Sizes:
    """What the two networks are made of.

    Attributes:
        latent, image_channels: sizes of input and output.
        widths: nf(0), ..., nf(levels).
        group: of the minibatch standard deviation, at most 1 for none.
        paper_scale: dense layers scaled as in the paper's code.
        centre: the minibatch standard deviation centres its input (as the original).
        seed: of the initial weights.
        classes: of the images, 0 without labels (the paper's networks only).
    """

    latent: int
    image_channels: int
    widths: tuple
    group: int = 8
    paper_scale: bool = False
    centre: bool = True
    seed: int = 0
    classes: int = 0

    @property
    def levels(self) -> int:
        """How many resolutions there are."""
        return len(self.widths) - 1

    @classmethod
    def of(cls, params) -> Sizes:
        """The sizes of an experiment.

        Raises:
            UserError: a resolution gets no channels.
        """
        count = int(math.log2(params.endRes))
        widths = tuple(channels(s, params.fmapBase, params.fmapMax, params.fmapDecay) for s in range(count))
        if min(widths) < 1:
            raise UserError(f"fmapBase={params.fmapBase} with fmapDecay={params.fmapDecay} leaves no "
                            f"channels at endRes={params.endRes}; raise fmapBase, or lower fmapDecay or "
                            "endRes")
        return cls(params.latentSize, params.nChannels, widths, params.stdDevGroup,
                   params.weight_scale == "paper",
                   params.stddev_form == "original", params.seed, params.classes)


@dataclass(frozen=True)
class Equal:
    """Makes the layers of one network, whose names begin with 'net.'."""

    seed: int

    def conv(self, title: str, inputs: int, outputs: int, size: int = 3, gain: float = SQRT2,
             padding: str = "SAME"):
        """conv(x, W) * gain / sqrt(inputs * size^2) + b."""
        weight = Equalised(gain / math.sqrt(inputs * size * size))
        return Maker("net.", PPGAN, self.seed, weight).conv(title, inputs, outputs, size, padding=padding)

    def dense(self, title: str, inputs: int, outputs: int, paper: float | None = None):
        """(x W) * sqrt(2 / (inputs + outputs)) + b, the original's constant, or `paper` in its place."""
        weight = Equalised(SQRT2 / math.sqrt(inputs + outputs) if paper is None else paper)
        return Maker("net.", PPGAN, self.seed, weight).dense(title, inputs, outputs)


def generator_blocks(make: Equal, sizes: Sizes) -> list[Chain]:
    """Of each level: features [n, s, s, nf(level)] to twice the side; of level 0: latents [n, latent] to
    4x4."""
    nf, z = sizes.widths, sizes.latent
    paper = SQRT2 / 4 / math.sqrt(z) if sizes.paper_scale else None
    first = Chain(make.dense("chain.0.0", z, 16 * z, paper), lrelu, maps(4),
                  make.conv("chain.0.3", z, nf[1]), lrelu, pixel_norm)
    return [first, *(Chain(bilinear,
                           make.conv(f"chain.{i}.1", nf[i], nf[i + 1]), lrelu, pixel_norm,
                           make.conv(f"chain.{i}.4", nf[i + 1], nf[i + 1]), lrelu, pixel_norm)
                     for i in range(1, sizes.levels))]


def critic_blocks(make: Equal, sizes: Sizes) -> list[Chain]:
    """Of each level: features [n, s, s, nf(level + 1)] to half the side; of level 0: to scores [n, 1]."""
    # the original numbers the modules, and the grouping is one
    nf, grouped = sizes.widths, int(sizes.group > 1)
    paper = 1.0 / math.sqrt(nf[0]) if sizes.paper_scale else None
    spread = [lambda x: minibatch_stddev(x, sizes.group, sizes.centre)] if grouped else []
    last = Chain(*spread,
                 make.conv(f"chain.0.{grouped}", nf[1] + grouped, nf[0]), lrelu,
                 make.conv(f"chain.0.{grouped + 2}", nf[0], nf[0], 4, padding="VALID"), lrelu,
                 flatten, make.dense(f"chain.0.{grouped + 5}", nf[0], 1, paper))
    return [last, *(Chain(make.conv(f"chain.{i}.0", nf[i + 1], nf[i + 1]), lrelu,
                          make.conv(f"chain.{i}.2", nf[i + 1], nf[i]), lrelu, mean_pool)
                    for i in range(1, sizes.levels))]


def mix(alpha: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """alpha * new + (1 - alpha) * old, both weights rounded from float64 as in the original."""
    return tf.cast(alpha, new.dtype) * new + tf.cast(1.0 - alpha, old.dtype) * old


class Growing(Network):
    """A network of every level, called as it is at one of them; its files hold the original's state dict.

    Attributes:
        heads: what the layers between features and pictures are called.
        progress: [level, alpha], how far it has grown; None where only the generator's file says it.
    """

    convention = PPGAN
    heads = ""

    def __init__(self, sizes: Sizes):
        super().__init__(dtype="float32", autocast=False)
        self.sizes, self.top, self.progress = sizes, sizes.levels - 1, None

    def at(self, level: int | None = None, alpha: tf.Tensor | None = None) -> Callable:
        """The network at a level, by the calling contract.

        Args:
            level: default the last.
            alpha: float64 scalar, the weight of the level in a fade; None when stable.
        """
        level, compute = self.top if level is None else level, compute_dtype()

        def network(x, labels=None, training=False, update=None):
            return self._run(tf.cast(self._input(x, labels), compute), level, alpha)

        return network

    def call(self, x, labels=None, training: bool = False, update: bool | None = None):
        """As `at` the last level."""
        return self.at()(x, labels)

    def _input(self, x: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """What the first layer gets; the original's networks know no labels."""
        return x

    def _run(self, x: tf.Tensor, level: int, alpha: tf.Tensor | None):
        """Float32 images, or scores."""
        raise NotImplementedError

    def place(self, name: str) -> tuple[int, bool]:
        """(level, whether it is of a head) of an array."""
        _, part, number = name.split(".")[:3]
        return int(number), part == self.heads

    def in_use(self, variable, level: int, first: int) -> bool:
        """Whether a parameter has taken part in training that began at level `first` and has reached
        `level`."""
        own, is_head = self.place(variable.name)
        return own <= level and (not is_head or own >= first)


class Generator(Growing):
    """Latents [n, latent] to images [n, 4 * 2^level, 4 * 2^level, channels], no output non-linearity."""

    heads = "toRGBs"

    def __init__(self, sizes: Sizes):
        super().__init__(sizes)
        self.blocks, self.to_rgb = self._layers(sizes)
        self.progress = tf.Variable([sizes.levels - 1.0, 1.0], trainable=False, name="progress",
                                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def _layers(self, sizes: Sizes) -> tuple[list, list]:
        """Blocks and heads, one of each for every level."""
        make = Equal(sizes.seed)
        return generator_blocks(make, sizes), [
            make.conv(f"toRGBs.{i}.0", sizes.widths[i + 1], sizes.image_channels, 1, 1.0)
            for i in range(sizes.levels)]

    def _run(self, x, level, alpha):
        for block in self.blocks[:level]:
            x = block(x)
        new = tf.cast(self.to_rgb[level](self.blocks[level](x)), tf.float32)
        return new if alpha is None else mix(alpha, new,
                                             tf.cast(nearest(self.to_rgb[level - 1](x)), tf.float32))


class Critic(Growing):
    """Images [n, s, s, channels] with s = 4 * 2^level to logits [n]."""

    heads = "fromRGBs"

    def __init__(self, sizes: Sizes):
        super().__init__(sizes)
        self.from_rgb, self.blocks = self._layers(sizes)

    def _layers(self, sizes: Sizes) -> tuple[list, list]:
        """Heads and blocks, one of each for every level."""
        make = Equal(sizes.seed)
        heads = [Chain(make.conv(f"fromRGBs.{i}.0", sizes.image_channels, sizes.widths[i + 1], 1), lrelu)
                 for i in range(sizes.levels)]
        return heads, critic_blocks(make, sizes)

    def _run(self, x, level, alpha):
        new = self.blocks[level](self.from_rgb[level](x))
        old = None if alpha is None else self.from_rgb[level - 1](mean_pool(x))
        for block in reversed(self.blocks[:level]):
            if alpha is None:
                new = block(new)
            else:
                old = block(old)
                new = mix(alpha, block(new), old)
        return tf.cast(tf.reshape(new, [-1]), tf.float32)
