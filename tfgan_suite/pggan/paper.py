"""Generator and critic of Karras et al., ICLR 2018, as table 2 has them (1024x1024: 23.1 M parameters each).

| generator | activation | output | critic | activation | output |
|---|---|---|---|---|---|
| latent vector | - | 512 x 1 x 1 | image | - | 3 x 1024 x 1024 |
| conv 4x4 | LReLU | 512 x 4 x 4 | conv 1x1 | LReLU | 16 x 1024 x 1024 |
| conv 3x3 | LReLU | 512 x 4 x 4 | conv 3x3 | LReLU | 16 x 1024 x 1024 |
| | | | conv 3x3 | LReLU | 32 x 1024 x 1024 |
| upsample | - | 512 x 8 x 8 | downsample | - | 32 x 512 x 512 |
| conv 3x3 | LReLU | 512 x 8 x 8 | ... | | |
| conv 3x3 | LReLU | 512 x 8 x 8 | downsample | - | 512 x 4 x 4 |
| ... | | | minibatch stddev | - | 513 x 4 x 4 |
| upsample | - | 32 x 1024 x 1024 | conv 3x3 | LReLU | 512 x 4 x 4 |
| conv 3x3 | LReLU | 16 x 1024 x 1024 | conv 4x4 | LReLU | 512 x 1 x 1 |
| conv 3x3 | LReLU | 16 x 1024 x 1024 | fully-connected | linear | 1 x 1 x 1 |
| conv 1x1 | linear | 3 x 1024 x 1024 | | | |

Latents are normalised to a sphere, and every conv of the generator but the last is followed by pixel norm
(section 4.2). Weights are drawn from N(0, 1), and outputs are multiplied by sqrt(2 / fan in) at run time
(section 4.1); in the last layer of each network by sqrt(1 / fan in), in the generator's first one by a
quarter of sqrt(2 / fan in) (tkarras/progressive_growing_of_gans, networks.py). Upsampling repeats pixels,
downsampling averages them. A new level's features are mixed into the critic once, right after its block
(figure 2).

Labels, if there are any, are what that program makes of them: the generator gets them beside the latent,
and the critic's last layer has a logit for each class beside the score (AC-GAN, Odena et al., ICML 2017).
"""
from __future__ import annotations

import math

import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.layers.activations import lrelu
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import PROGRESSIVE
from tfgan_suite.layers.norms import minibatch_stddev, pixel_norm
from tfgan_suite.layers.resample import flatten, maps, mean_pool, nearest
from tfgan_suite.layers.weights import Equalised
from tfgan_suite.pggan import networks
from tfgan_suite.pggan.networks import Sizes, mix


def generator_blocks(make: Maker, sizes: Sizes) -> list[Chain]:
    """Of each level: features [n, s, s, nf(level)] to twice the side; of level 0: latents [n, latent +
    classes] to 4x4."""
    nf, z = sizes.widths, sizes.latent + sizes.classes
    quarter = make.but(weight=Equalised(math.sqrt(2.0 / z) / 4.0))
    first = Chain(pixel_norm, maps(1),
                  quarter.deconv("4x4/Conv0", z, nf[1], 4, 1, "VALID", sides=(4, 4)), lrelu, pixel_norm,
                  make.conv("4x4/Conv1", nf[1], nf[1]), lrelu, pixel_norm)
    return [first, *(Chain(nearest,
                           make.conv(f"{side(i)}/Conv0", nf[i], nf[i + 1]), lrelu, pixel_norm,
                           make.conv(f"{side(i)}/Conv1", nf[i + 1], nf[i + 1]), lrelu, pixel_norm)
                     for i in range(1, sizes.levels))]


def critic_blocks(make: Maker, sizes: Sizes) -> list[Chain]:
    """Of each level: features [n, s, s, nf(level + 1)] to half the side; of level 0: to scores [n, 1 +
    classes]."""
    nf, grouped = sizes.widths, int(sizes.group > 1)

    def spread(x: tf.Tensor) -> tf.Tensor:
        return minibatch_stddev(x, min(sizes.group, x.shape[0] * distributed.replicas()), centre=False)

    last = Chain(*([spread] if grouped else []),
                 make.conv("4x4/Conv0", nf[1] + grouped, nf[0]), lrelu,
                 make.conv("4x4/Conv1", nf[0], nf[0], 4, padding="VALID"), lrelu,
                 flatten, linear(make, nf[0]).dense("4x4/Dense", nf[0], 1 + sizes.classes))
    return [last, *(Chain(make.conv(f"{side(i)}/Conv0", nf[i + 1], nf[i + 1]), lrelu,
                          make.conv(f"{side(i)}/Conv1", nf[i + 1], nf[i]), lrelu, mean_pool)
                    for i in range(1, sizes.levels))]


def side(level: int) -> str:
    """'8x8' of level 1."""
    return f"{4 << level}x{4 << level}"


def linear(make: Maker, inputs: int) -> Maker:
    """Of layers without an activation behind them: sqrt(1 / fan in)."""
    return make.but(weight=Equalised(math.sqrt(1.0 / inputs)))


def _maker(sizes: Sizes) -> Maker:
    return Maker(convention=PROGRESSIVE, seed=sizes.seed, weight=Equalised())


def _place(name: str, heads: str) -> tuple[int, bool]:
    size, part = name.split("/")[:2]
    return int(size.split("x")[0]).bit_length() - 3, part == heads


class Generator(networks.Generator):
    """Latents [n, latent] (and int labels [n] or weights of classes [n, classes]) to images [n, 4 * 2^level,
    4 * 2^level, channels]."""

    convention, heads = PROGRESSIVE, "ToRGB"

    def __init__(self, sizes: Sizes):
        super().__init__(sizes)
        if sizes.classes:  # its file says how much of the input are classes
            self.class_count = tf.Variable(float(sizes.classes), trainable=False, name="classes",
                                           aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def _layers(self, sizes):
        make = _maker(sizes)
        return generator_blocks(make, sizes), [
            linear(make, sizes.widths[i + 1]).conv(f"{side(i)}/ToRGB", sizes.widths[i + 1],
                                                   sizes.image_channels, 1) for i in range(sizes.levels)]

    def _input(self, x, labels):
        if not self.sizes.classes:
            return x
        weights = labels if labels.dtype.is_floating else tf.one_hot(labels, self.sizes.classes)
        return tf.concat([x, tf.cast(weights, x.dtype)], 1)

    def place(self, name):
        return _place(name, self.heads)


class Critic(networks.Critic):
    """Images [n, s, s, channels] with s = 4 * 2^level to logits [n]; with classes to (logits, class logits
    [n, classes])."""

    convention, heads = PROGRESSIVE, "FromRGB"

    def _layers(self, sizes):
        make = _maker(sizes)
        heads = [Chain(make.conv(f"{side(i)}/FromRGB", sizes.image_channels, sizes.widths[i + 1], 1), lrelu)
                 for i in range(sizes.levels)]
        return heads, critic_blocks(make, sizes)

    def _run(self, x, level, alpha):
        features = self.blocks[level](self.from_rgb[level](x))
        if alpha is not None:
            features = mix(alpha, features, self.from_rgb[level - 1](mean_pool(x)))
        for block in reversed(self.blocks[:level]):
            features = block(features)
        scores = tf.cast(features, tf.float32)
        return (scores[:, 0], scores[:, 1:]) if self.sizes.classes else scores[:, 0]

    def place(self, name):
        return _place(name, self.heads)


def fading(real: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Real images as a fade shows them: `alpha` of the image, the rest of it at half the resolution (appendix
    A.1, figure 2), so that they have no more detail than the generator's.

    Args:
        real: [n, ..., h, w, c].
        alpha: float64 scalar.
    """
    flat = tf.reshape(real, [-1, *real.shape[-3:]])
    return tf.reshape(mix(alpha, flat, nearest(mean_pool(flat))), tf.shape(real))


def sizes_of(arrays) -> Sizes:
    """The sizes that a generator's arrays were made with.

    Raises:
        KeyError: an array is missing.
    """
    sides = [4 << level for level in range(16) if f"{side(level)}/ToRGB/weight" in arrays]
    widths = [arrays[f"{side(level)}/Conv1/bias"].size for level in range(len(sides))]
    classes = int(arrays["classes"]) if "classes" in arrays else 0
    latent = arrays["4x4/Conv0/weight"].shape[-1] - classes
    return Sizes(latent, arrays["4x4/ToRGB/bias"].size, (widths[0], *widths), group=0, classes=classes)
