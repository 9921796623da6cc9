"""Generator and critic of PGGAN: one pair for all resolutions (spec section 3).

nf(s) channels at stage s; level l works at 4 * 2^l pixels.

| generator | | critic | |
|---|---|---|---|
| level 0 | dense to 4x4, conv 3x3, pixel norm | level 0 | minibatch stddev, conv 3x3, conv 4x4, dense |
| level l | bilinear x2, twice conv 3x3 + pixel norm | level l | twice conv 3x3, average of 2x2 |
| toRGB l | conv 1x1 | fromRGB l | conv 1x1 |

Every conv and dense layer but toRGB and the last is followed by a leaky ReLU. While level l fades in with weight alpha, the
generator mixes the pictures of toRGB l and of toRGB l-1. The critic runs two complete paths and mixes them after every lower
level (the paper mixes once, after level l).
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.equalized import (
    SQRT2,
    EqualizedConv,
    EqualizedDense,
    downsample,
    lrelu,
    minibatch_stddev,
    pixel_norm,
    upsample_bilinear,
    upsample_nearest,
)
from tfgan_suite.layers.network import Network


def channels(stage: int, base: float, most: int, decay: float) -> int:
    """nf(stage) = min(base / 2^(stage * decay), most), truncated."""
    return min(int(base / 2.0 ** (stage * decay)), most)


@dataclass(frozen=True)
class Architecture:
    """What the two networks are made of.

    Attributes:
        latent, image_channels: sizes of input and output.
        widths: nf(0), ..., nf(levels).
        group: of the minibatch standard deviation, at most 1 for none.
        paper_scale: dense layers scaled as in the paper's code.
        centre: the minibatch standard deviation centres its input (as the original).
        seed: of the initial weights.
    """

    latent: int
    image_channels: int
    widths: tuple
    group: int = 8
    paper_scale: bool = False
    centre: bool = True
    seed: int = 0

    @property
    def levels(self) -> int:
        """How many resolutions there are."""
        return len(self.widths) - 1

    @classmethod
    def of(cls, params) -> Architecture:
        """The architecture of an experiment.

        Raises:
            UserError: a resolution gets no channels.
        """
        count = int(math.log2(params.endRes))
        widths = tuple(channels(s, params.fmapBase, params.fmapMax, params.fmapDecay) for s in range(count))
        if min(widths) < 1:
            raise UserError(f"fmapBase={params.fmapBase} with fmapDecay={params.fmapDecay} leaves no channels at endRes="
                            f"{params.endRes}; raise fmapBase, or lower fmapDecay or endRes")
        return cls(params.latentSize, params.nChannels, widths, params.stdDevGroup, params.weight_scale == "paper",
                   params.stddev_form == "original", params.seed)


def mix(alpha: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """alpha * new + (1 - alpha) * old, both weights rounded from float64 as in the original."""
    return tf.cast(alpha, new.dtype) * new + tf.cast(1.0 - alpha, old.dtype) * old


def to_torch(array: np.ndarray) -> np.ndarray:
    """HWIO -> OIHW, (in, out) -> (out, in); vectors stay."""
    return np.transpose(array, (3, 2, 0, 1)) if array.ndim == 4 else array.T


def from_torch(array: np.ndarray) -> np.ndarray:
    """OIHW -> HWIO, (out, in) -> (in, out); vectors stay."""
    return np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else array.T


class Growing(Network):
    """A network whose files hold the original's state dict: torch's names, layouts and order."""

    heads = ""

    def shapes(self):
        return {name: to_torch(np.empty(v.shape, np.bool_)).shape for name, v in self.named().items()}

    def arrays(self):
        for name, variable in self.named().items():
            yield name, np.ascontiguousarray(to_torch(variable.numpy()))

    def assign_array(self, name, value):
        self.named()[name].assign(from_torch(value))

    def in_use(self, variable, level: int, first: int) -> bool:
        """Whether a parameter has taken part in training that started at level `first` and has reached `level`."""
        _, part, number = variable.name.split(".")[:3]
        return int(number) <= level and (part != self.heads or int(number) >= first)


class Generator(Growing):
    """Latents to images; `progress` [level, alpha] says how far it has grown."""

    heads = "toRGBs"

    def __init__(self, shape: Architecture):
        super().__init__()
        self.shape, nf, seed = shape, shape.widths, shape.seed
        scale = SQRT2 / 4 / math.sqrt(shape.latent) if shape.paper_scale else None
        self.dense = EqualizedDense("net.chain.0.0", shape.latent, shape.latent * 16, scale, seed=seed)
        self.first = EqualizedConv("net.chain.0.3", shape.latent, nf[1], 3, seed=seed)
        self.blocks = [(EqualizedConv(f"net.chain.{i}.1", nf[i], nf[i + 1], 3, seed=seed),
                        EqualizedConv(f"net.chain.{i}.4", nf[i + 1], nf[i + 1], 3, seed=seed)) for i in range(1, shape.levels)]
        self.to_rgb = [EqualizedConv(f"net.toRGBs.{i}.0", nf[i + 1], shape.image_channels, 1, 1.0, seed=seed)
                       for i in range(shape.levels)]
        self.progress = tf.Variable([shape.levels - 1.0, 1.0], trainable=False, name="progress",
                                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def block(self, level: int, h: tf.Tensor) -> tf.Tensor:
        """Level 0 takes latents [n, latent], the others features [n, s, s, nf(level)]; gives features of twice the side."""
        if level == 0:
            h = lrelu(self.dense(h))
            h = tf.transpose(tf.reshape(h, [-1, self.shape.latent, 4, 4]), [0, 2, 3, 1])
            return pixel_norm(lrelu(self.first(h)))
        h = upsample_bilinear(h)
        for conv in self.blocks[level - 1]:
            h = pixel_norm(lrelu(conv(h)))
        return h

    def call(self, z, level: int | None = None, alpha=None):
        """[n, latent] -> [n, 4 * 2^level, 4 * 2^level, channels] float32, no output non-linearity.

        Args:
            level: default the last.
            alpha: float64 scalar in a fade, None when stable.
        """
        level = self.shape.levels - 1 if level is None else level
        h = z
        for lower in range(level):
            h = self.block(lower, h)
        new = self.to_rgb[level](self.block(level, h))
        if alpha is None:
            return tf.cast(new, tf.float32)
        return mix(alpha, tf.cast(new, tf.float32), tf.cast(upsample_nearest(self.to_rgb[level - 1](h)), tf.float32))


class Critic(Growing):
    """Images to scores."""

    heads = "fromRGBs"

    def __init__(self, shape: Architecture):
        super().__init__()
        self.shape, nf, seed = shape, shape.widths, shape.seed
        grouped = int(shape.group > 1)  # the original numbers the modules, and this layer is one
        self.from_rgb = [EqualizedConv(f"net.fromRGBs.{i}.0", shape.image_channels, nf[i + 1], 1, seed=seed)
                         for i in range(shape.levels)]
        self.conv3 = EqualizedConv(f"net.chain.0.{grouped}", nf[1] + grouped, nf[0], 3, seed=seed)
        self.conv4 = EqualizedConv(f"net.chain.0.{grouped + 2}", nf[0], nf[0], 4, padding="VALID", seed=seed)
        scale = 1.0 / math.sqrt(nf[0]) if shape.paper_scale else None
        self.dense = EqualizedDense(f"net.chain.0.{grouped + 5}", nf[0], 1, scale, seed=seed)
        self.blocks = [(EqualizedConv(f"net.chain.{i}.0", nf[i + 1], nf[i + 1], 3, seed=seed),
                        EqualizedConv(f"net.chain.{i}.2", nf[i + 1], nf[i], 3, seed=seed)) for i in range(1, shape.levels)]

    def block(self, level: int, h: tf.Tensor) -> tf.Tensor:
        """Features [n, s, s, nf(level + 1)] -> features of half the side, or scores [n, 1] from level 0."""
        if level == 0:
            if self.shape.group > 1:
                h = minibatch_stddev(h, self.shape.group, self.shape.centre)
            h = lrelu(self.conv4(lrelu(self.conv3(h))))
            return self.dense(tf.reshape(h, [-1, self.shape.widths[0]]))
        for conv in self.blocks[level - 1]:
            h = lrelu(conv(h))
        return downsample(h)

    def call(self, x, level: int | None = None, alpha=None):
        """[n, s, s, channels] with s = 4 * 2^level -> [n, 1] float32.

        Args:
            level: default the last.
            alpha: float64 scalar in a fade, None when stable.
        """
        level = self.shape.levels - 1 if level is None else level
        h = self.block(level, lrelu(self.from_rgb[level](x)))
        if alpha is None:
            for lower in reversed(range(level)):
                h = self.block(lower, h)
            return tf.cast(h, tf.float32)
        old = lrelu(self.from_rgb[level - 1](downsample(x)))
        for lower in reversed(range(level)):
            old = self.block(lower, old)
            h = mix(alpha, self.block(lower, h), old)
        return tf.cast(h, tf.float32)
