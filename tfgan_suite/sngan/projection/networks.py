"""The networks of pfnet-research/sngan_projection, from one table per image size.

T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018. Variables have the Chainer names; a
checkpoint file has the Chainer layouts too (kernels OIHW, linear (out, in)), so that its arrays are those of
the authors' snapshots.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.layers import Network
from tfgan_suite.layers.activations import relu
from tfgan_suite.layers.blocks import Chain, Maker, Residual
from tfgan_suite.layers.conventions import CHAINER
from tfgan_suite.layers.linear import compute_dtype
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.resample import maps, mean_pool, nearest, with_maps
from tfgan_suite.layers.weights import Spectral

ROOT = float(np.sqrt(2))  # gain of the blocks' 3x3 convolutions
NORM = Rule(epsilon=2e-5, running="at rest", variance_start=0.0,
            folded=False)  # Chainer 3's averages start at zero


@dataclass(frozen=True)
class Table:
    """Widths, as multiples of ch.

    Attributes:
        size: side of the images.
        start: width of G's 4x4 input.
        up: widths of G's blocks, each of which doubles the size.
        last: letter of G's last convolution.
        down: (width, whether it halves the size) of D's blocks after the first, which has width 1.
        concat: after how many of these the concat discriminator appends the label.
        bias: whether D's last layer has a bias.
    """

    size: int
    start: int
    up: tuple
    down: tuple
    concat: int
    last: str = "l"
    bias: bool = True


TABLES = {
    "32": Table(32, 1, (1, 1, 1), ((1, True), (1, False), (1, False)), 0, "c", bias=False),
    "64": Table(64, 16, (8, 4, 2, 1), ((2, True), (4, True), (8, True), (16, True)), 1),
    "128": Table(128, 16, (16, 8, 4, 2, 1), ((2, True), (4, True), (8, True), (16, True), (16, False)), 2),
    "small128": Table(128, 8, (8, 4, 4, 2, 1), ((2, True), (4, True), (4, True), (8, True), (8, False)), 2),
    "256": Table(256, 16, (16, 8, 8, 4, 2, 1),
                 ((2, True), (4, True), (8, True), (8, True), (16, True), (16, False)), 2),
    # Not the authors': the 32-pixel networks without a stage, for small pictures.
    "16": Table(16, 1, (1, 1), ((1, True), (1, False), (1, False)), 0, "c", bias=False),
}


def generator_maker(seed: int, classes: int) -> Maker:
    """Of G's layers; `classes` of its batch norms, 0 without labels."""
    return Maker("", CHAINER, seed, rule=NORM, classes=classes)


def discriminator_maker(seed: int, stop_gradient: bool = True) -> Maker:
    """Of D's layers; `stop_gradient` as in `Spectral`."""
    return Maker("", CHAINER, seed, Spectral(1, stop_gradient, truncated=False))


# -- blocks --------------------------------------------------------------------------------------------------
def up_block(make: Maker, title: str, inputs: int, outputs: int) -> Residual:
    """norm, ReLU, upsample, 3x3, norm, ReLU, 3x3; plus upsample, 1x1."""
    b1, b2 = make.norm(f"{title}/b1", inputs), make.norm(f"{title}/b2", outputs)
    c1 = make.conv(f"{title}/c1", inputs, outputs, gain=ROOT)
    c2 = make.conv(f"{title}/c2", outputs, outputs, gain=ROOT)
    c_sc = make.conv(f"{title}/c_sc", inputs, outputs, 1)
    return Residual(Chain(nearest, c_sc), Chain(b1, relu, nearest, c1, b2, relu, c2),
                    order=(b1, b2, c1, c2, c_sc))


def first_block(make: Maker, title: str, outputs: int) -> Residual:
    """3x3, ReLU, 3x3, mean pool; plus mean pool, 1x1 of the image."""
    c1 = make.conv(f"{title}/c1", 3, outputs, gain=ROOT)
    c2 = make.conv(f"{title}/c2", outputs, outputs, gain=ROOT)
    c_sc = make.conv(f"{title}/c_sc", 3, outputs, 1)
    return Residual(Chain(mean_pool, c_sc), Chain(c1, relu, c2, mean_pool), order=(c1, c2, c_sc))


def down_block(make: Maker, title: str, inputs: int, outputs: int, down: bool) -> Residual:
    """ReLU, 3x3, ReLU, 3x3, (mean pool); plus the input, through 1x1 (and the pool) where its shape
    changes."""
    c1 = make.conv(f"{title}/c1", inputs, inputs, gain=ROOT)
    c2 = make.conv(f"{title}/c2", inputs, outputs, gain=ROOT)
    if not down and inputs == outputs:
        return Residual(tf.identity, Chain(relu, c1, relu, c2))
    pool, c_sc = mean_pool if down else tf.identity, make.conv(f"{title}/c_sc", inputs, outputs, 1)
    return Residual(Chain(c_sc, pool), Chain(relu, c1, relu, c2, pool), order=(c1, c2, c_sc))


# -- networks ------------------------------------------------------------------------------------------------
class ChainerNetwork(Network):
    """A network whose checkpoint file has Chainer's layouts, and the unused counters N of its batch norms."""

    convention = CHAINER
    class_tables = ("/gammas/W", "/betas/W", "l_y/W")
    norms: tuple = ()

    def shapes(self):
        return {**super().shapes(), **{f"{norm}/N": () for norm in self.norms}}

    def arrays(self):
        yield from super().arrays()
        for norm in self.norms:
            yield f"{norm}/N", np.zeros((), np.int64)

    def assign_array(self, name, value):
        if name.rsplit("/", 1)[-1] != "N":
            super().assign_array(name, value)


class Generator(ChainerNetwork):
    """z -> linear to 4x4 -> blocks -> batch norm, ReLU, 3x3, tanh.

    Args:
        ch: width.
        make: see `generator_maker`.
    """

    def __init__(self, table: Table, ch: int, dim_z: int, make: Maker):
        super().__init__(dtype="float32", autocast=False)
        start, number, titles = table.start * ch, len(table.up) + 2, [f"block{i + 2}"
                                                                      for i in range(len(table.up))]
        widths = [start, *(m * ch for m in table.up)]
        self.classes = make.classes
        self.l1 = make.dense("l1", dim_z, 16 * start, compute="float32")
        self.blocks = Chain(maps(4),
                            *(up_block(make, title, *pair) for title,
                              pair in zip(titles, zip(widths, widths[1:]))))
        self.norm = make.norm(f"b{number}", widths[-1], classes=0)
        self.last = make.conv(f"{table.last}{number}", widths[-1], 3)
        self.norms = (f"b{number}", *(f"{title}/{b}" for title in titles for b in ("b1", "b2")))

    def call(self, z: tf.Tensor, labels=None, training: bool = False,
             update: bool | None = None) -> tf.Tensor:
        """Latents [n, dim_z] (with labels int [n], or weights of classes [n, classes]) -> float32 [n, size,
        size, 3] in (-1, 1).

        Args:
            training: batch statistics, else the running averages; `update`: the averages move.
        """
        how = Pass.of(labels, training, update)
        x = self.norm(self.blocks(self.l1(z, how), how), how)
        return tf.tanh(tf.cast(self.last(relu(x), how), tf.float32))


class Discriminator(ChainerNetwork):
    """Blocks, ReLU, sum over the image -> h; logit = l(h) + <embedding of the label, h>; or with the label
    concatenated.

    Args:
        ch: width.
        classes: 0: no labels.
        concat: width of the embedding that is appended to the features; 0: projection.
        make: see `discriminator_maker`.
    """

    def __init__(self, table: Table, ch: int, classes: int, concat: int, make: Maker):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.compute = classes, compute_dtype()
        self.concat, self.concat_after = concat if classes else 0, table.concat
        self.blocks, inputs = [first_block(make, "block1", ch)], ch
        for i, (multiple, down) in enumerate(table.down):
            inputs += self.concat if i == self.concat_after else 0
            self.blocks.append(down_block(make, f"block{i + 2}", inputs, multiple * ch, down))
            inputs = multiple * ch
        self.last = make.dense(f"l{len(self.blocks) + 1}", inputs, 1, bias=table.bias, compute="float32")
        self.l_y = make.embedding("l_y", classes, self.concat or inputs) if classes else None

    def call(self, images: tf.Tensor, labels=None, training: bool = False,
             update: bool | None = None) -> tf.Tensor:
        """Logits float32 [n] of images [n, size, size, 3]; `training`, `update`: u of all weights advances,
        once."""
        how = Pass.of(labels, training, update)
        x = tf.cast(images, self.compute)
        y = None if self.l_y is None else self.l_y(labels, how)
        for i, block in enumerate(self.blocks):
            if self.concat and i == self.concat_after + 1:
                x = with_maps(x, y)
            x = block(x, how)
        h = tf.reduce_sum(tf.cast(relu(x), tf.float32), (1, 2))
        logits = self.last(h, how)[:, 0]
        return logits if y is None or self.concat else logits + tf.reduce_sum(y * h, 1)
