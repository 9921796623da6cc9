"""Networks of the neutral system, as tables for any power-of-two side; s is the side, w the width.

| | generator | discriminator |
|---|---|---|
| dcgan | dense to 4x4, transposed 4x4 convolutions of stride 2 | 4x4 convolutions of stride 2 |
| resnet | dense to 4x4, blocks that double the side | blocks that halve it, sum over the image |
| mlp | three dense layers | three dense layers |

A discriminator is a trunk from images to features and a head from features to logits.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.layers.activations import lrelu, relu
from tfgan_suite.layers.blocks import Chain, Maker, Residual
from tfgan_suite.layers.linear import class_rows
from tfgan_suite.layers.network import Network
from tfgan_suite.layers.norms import RULES, minibatch_stddev, pixel_norm
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.resample import flatten, maps, mean_pool, nearest, with_maps
from tfgan_suite.layers.weights import WEIGHTS


@dataclass(frozen=True)
class Shape:
    """Sizes that both networks share.

    Attributes:
        side, channels: of the images.
        width: of the network.
        code: length of G's input.
        stddev: group of D's minibatch standard deviation, 0 for none.
        pixels: pixel norm behind G's layers.
    """

    side: int
    channels: int
    width: int
    code: int = 0
    stddev: int = 0
    pixels: bool = False

    @property
    def doublings(self) -> int:
        """From 4x4 to the images' side."""
        return self.side.bit_length() - 3


def maker(scope: str, weight: str, norm: str, classes: int, seed: int) -> Maker:
    """Makes the layers of one network, by the names of `weights.WEIGHTS` and `norms.RULES`."""
    made = WEIGHTS[weight]
    return Maker(scope, seed=seed, weight=made, rule=RULES[norm], deviation=made.deviation,
                 classes=classes if norm == "conditional" else 0)


# -- generators: chains from [n, code] to [n, side, side, channels] ------------------------------------------
def _after(m: Maker, title: str, channels: int, t: Shape, images: bool = True) -> list:
    """Normalisation and activation behind one of G's layers. Statistics of rows are taken as those of 1x1
    images."""
    norm = m.norm(title, channels)
    if not images:
        norm = Chain(lambda x: x[:, None, None, :], norm, lambda x: x[:, 0, 0, :])
    return [norm, relu, *([pixel_norm] if t.pixels and images else [])]


def dcgan_generator(m: Maker, t: Shape) -> Chain:
    """Radford et al. 2015."""
    widths = [t.width << i for i in reversed(range(t.doublings))]
    steps = [m.dense("in", t.code, 16 * widths[0], bias=False), maps(4), *_after(m, "in/norm", widths[0], t)]
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        steps += [m.deconv(f"up{i}", a, b, 4), *_after(m, f"up{i}/norm", b, t)]
    return Chain(*steps, m.deconv("out", widths[-1], t.channels, 4), tf.tanh)


def resnet_generator(m: Maker, t: Shape) -> Chain:
    """Miyato et al. 2018, table 3: as many channels in every block."""
    w, steps = t.width, [m.dense("in", t.code, 16 * t.width), maps(4)]
    for i in range(t.doublings):
        b = m.inside(f"block{i}/")
        steps.append(Residual(Chain(nearest, b.conv("shortcut", w, w, 1)),
                              Chain(*_after(b, "norm1", w, t), nearest, b.conv("1", w, w, he=True),
                                    *_after(b, "norm2", w, t), b.conv("2", w, w, he=True))))
    return Chain(*steps, *_after(m, "out/norm", w, t), m.conv("out", w, t.channels), tf.tanh)


def mlp_generator(m: Maker, t: Shape) -> Chain:
    """Three hidden layers, the widest of 8 w."""
    wide = 8 * t.width
    steps, inputs = [], t.code
    for i in range(3):
        steps += [m.dense(f"{i}", inputs, wide, he=True), *_after(m, f"{i}/norm", wide, t, images=False)]
        inputs = wide
    return Chain(*steps, m.dense("out", wide, t.side**2 * t.channels), maps(t.side), tf.tanh)


# -- trunks of discriminators: (chain from images to features, how many) -------------------------------------
def _stddev(t: Shape) -> list:
    def spread(x):
        return minibatch_stddev(x, min(t.stddev, x.shape[0] * distributed.replicas()), centre=False)

    return [spread] if t.stddev else []


def dcgan_trunk(m: Maker, t: Shape) -> tuple[Chain, int]:
    """Radford et al. 2015; the first layer is not normalised."""
    steps, inputs = [], t.channels
    for i in range(t.doublings):
        out = t.width << i
        steps += [m.conv(f"down{i}", inputs, out, 4, 2), m.norm(f"down{i}/norm", out) if i else tf.identity,
                  lrelu]
        inputs = out
    return Chain(*steps, *_stddev(t), flatten), 16 * (inputs + bool(t.stddev))


def resnet_trunk(m: Maker, t: Shape) -> tuple[Chain, int]:
    """Miyato et al. 2018, table 3, halving to 4x4."""
    steps, inputs, w = [], t.channels, t.width
    for i in range(t.doublings):
        b = m.inside(f"block{i}/")
        head = [b.norm("norm1", inputs), relu] if i else []
        steps.append(Residual(Chain(b.conv("shortcut", inputs, w, 1), mean_pool),
                              Chain(*head, b.conv("1", inputs, w, he=True), b.norm("norm2", w), relu,
                                    b.conv("2", w, w, he=True), mean_pool)))
        inputs = w
    return Chain(*steps, relu, *_stddev(t), lambda x: tf.reduce_sum(x, (1, 2))), inputs + bool(t.stddev)


def mlp_trunk(m: Maker, t: Shape) -> tuple[Chain, int]:
    """Three hidden layers of 8 w; the first is not normalised."""
    steps, inputs, wide = [*_stddev(t), flatten], t.side**2 * (t.channels + bool(t.stddev)), 8 * t.width
    for i in range(3):
        norm = m.norm(f"{i}/norm", wide) if i else tf.identity
        steps += [m.dense(f"{i}", inputs, wide, he=True), lambda x: x[:, None, None, :], norm,
                  lambda x: x[:, 0, 0, :], lrelu]
        inputs = wide
    return Chain(*steps), wide


@dataclass(frozen=True)
class Architecture:
    """What a value of `--architecture` stands for."""

    generator: Callable[[Maker, Shape], Chain]
    trunk: Callable[[Maker, Shape], tuple[Chain, int]]


ARCHITECTURES = {"dcgan": Architecture(dcgan_generator, dcgan_trunk),
                 "resnet": Architecture(resnet_generator, resnet_trunk),
                 "mlp": Architecture(mlp_generator, mlp_trunk)}


# -- the networks --------------------------------------------------------------------------------------------
class Generator(Network):
    """Latents [n, zlen] (and labels) -> images [n, side, side, channels] in (-1, 1).

    Labels enter the norms' tables if these are conditional, else as a vector behind the latent.
    """

    def __init__(self, body: Callable[[Maker, Shape], Chain], m: Maker, shape: Shape, classes: int):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.appended = classes, classes if classes and not m.classes else 0
        self.body = body(m, Shape(**{**vars(shape), "code": shape.code + self.appended}))

    def call(self, z, labels=None, training: bool = False, update: bool | None = None):
        """Images, float32; arguments as in the calling contract of networks."""
        if self.appended:
            z = tf.concat([z, _one_hot(labels, self.classes)], 1)
        return tf.cast(self.body(z, Pass.of(labels, training, update)), tf.float32)


class Discriminator(Network):
    """Images [n, side, side, channels] (and labels) -> logits [n]; with `label_in_d='acgan'` (logits, class
    logits [n, classes]).

    Args:
        trunk: of `ARCHITECTURES`.
        label: 'none', 'concat' (labels as maps behind the image's channels), 'projection' (Miyato and Koyama
            2018) or 'acgan' (Odena et al. 2017).
    """

    def __init__(self, trunk: Callable, m: Maker, shape: Shape, classes: int, label: str):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.label = classes, label if classes else "none"
        shown = shape.channels + (classes if self.label == "concat" else 0)
        self.trunk, features = trunk(m, Shape(**{**vars(shape), "channels": shown}))
        self.head = m.dense("out", features, 1)
        self.table = m.embedding("label", classes, features) if self.label == "projection" else None
        self.classifier = m.dense("classes", features, classes) if self.label == "acgan" else None

    def call(self, images, labels=None, training: bool = False, update: bool | None = None):
        """Logits, float32; arguments as in the calling contract of networks."""
        how = Pass.of(labels, training, update)
        if self.label == "concat":
            images = with_maps(images, _one_hot(labels, self.classes))
        features = tf.cast(self.trunk(images, how), tf.float32)
        logits = tf.cast(self.head(features, how), tf.float32)[:, 0]
        if self.table is not None:
            logits = logits + tf.reduce_sum(self.table(labels, how) * features, 1)
        if self.classifier is None:
            return logits
        return logits, tf.cast(self.classifier(features, how), tf.float32)


def _one_hot(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Labels int [n], or weights of classes [n, classes], as float32 [n, classes]."""
    return class_rows(tf.eye(classes), labels)
