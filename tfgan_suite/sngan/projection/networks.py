"""The networks of pfnet-research/sngan_projection, from one table per image size: sections B1 to B4.

T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018. Variables have the Chainer names; a checkpoint file has
the Chainer layouts too (kernels OIHW, linear (out, in)), so that its arrays are those of the authors' snapshots.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.layers.conditional_batch_norm import ConditionalBatchNorm, class_rows, standardise
from tfgan_suite.layers.seeded import uniform
from tfgan_suite.sngan.gan_lib.blocks import mean_pool, upsample
from tfgan_suite.sngan.gan_lib.networks import ClassNetwork
from tfgan_suite.sngan.gan_lib.ops import Style, compute_dtype


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
    "256": Table(256, 16, (16, 8, 8, 4, 2, 1), ((2, True), (4, True), (8, True), (8, True), (16, True), (16, False)), 2),
    # Not the authors': the 32-pixel networks without a stage, for small pictures.
    "16": Table(16, 1, (1, 1), ((1, True), (1, False), (1, False)), 0, "c", bias=False),
}


def _glorot(shape, style: Style, name: str, scale: float = 1.0):
    """Chainer's GlorotUniform(scale) for an array [..., in, out]."""
    receptive = int(np.prod(shape[:-2]))
    return uniform(scale * float(np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))), style.seed, name)


class Conv(tf.keras.layers.Layer):
    """k x k convolution, stride 1, same size, with bias; spectrally normalised in D."""

    def __init__(self, name: str, inputs: int, outputs: int, size: int, style: Style, scale: float = 1.0):
        super().__init__(dtype="float32", autocast=False)
        shape = (size, size, inputs, outputs)
        self.kernel = self.add_weight(f"{name}/W", shape, initializer=_glorot(shape, style, f"{name}/W", scale))
        self.bias = self.add_weight(f"{name}/b", (outputs,), initializer="zeros")
        self.norm = style.norm(f"{name}/u", outputs, truncated=False)
        self.compute = compute_dtype()

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """NHWC -> NHWC in the compute type; `update` advances u."""
        kernel = self.kernel if self.norm is None else self.norm.kernel(tf.convert_to_tensor(self.kernel), update)
        y = tf.nn.conv2d(tf.cast(x, self.compute), tf.cast(kernel, self.compute), 1, "SAME")
        return y + tf.cast(self.bias, self.compute)


class Dense(tf.keras.layers.Layer):
    """Linear layer; spectrally normalised in D."""

    def __init__(self, name: str, inputs: int, outputs: int, style: Style, bias: bool = True):
        super().__init__(dtype="float32", autocast=False)
        shape = (inputs, outputs)
        self.kernel = self.add_weight(f"{name}/W", shape, initializer=_glorot(shape, style, f"{name}/W"))
        self.bias = self.add_weight(f"{name}/b", (outputs,), initializer="zeros") if bias else None
        self.norm = style.norm(f"{name}/u", outputs, truncated=False)

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """float32 [n, inputs] -> [n, outputs]; `update` advances u."""
        kernel = self.kernel if self.norm is None else self.norm.kernel(tf.convert_to_tensor(self.kernel), update)
        y = tf.matmul(x, kernel)
        return y if self.bias is None else y + self.bias


class Embedding(tf.keras.layers.Layer):
    """A spectrally normalised row of a table [classes, dim] for each label; u has one entry a class."""

    def __init__(self, name: str, classes: int, dim: int, style: Style):
        super().__init__(dtype="float32", autocast=False)
        shape = (classes, dim)
        self.kernel = self.add_weight(f"{name}/W", shape, initializer=_glorot(shape, style, f"{name}/W"))
        self.norm = style.norm(f"{name}/u", classes, truncated=False)

    def call(self, labels: tf.Tensor, update: bool = False) -> tf.Tensor:
        """Labels as in `class_rows` -> float32 [n, dim]; `update` advances u."""
        table = self.norm(tf.transpose(self.kernel), update=update)
        return class_rows(tf.transpose(table), labels)


class RunningNorm(tf.keras.layers.Layer):
    """(Conditional) batch norm with running averages (decay 0.9, from zero as in Chainer 3), epsilon 2e-5.

    Args:
        classes: of the tables; 0: one scale and offset for all.
    """

    def __init__(self, name: str, channels: int, classes: int):
        super().__init__(dtype="float32", autocast=False)
        self.epsilon, self.decay, self.tables = 2e-5, 0.9, None
        if classes:
            self.tables = ConditionalBatchNorm(f"{name}/gammas/W", f"{name}/betas/W", classes, channels, self.epsilon)
        else:
            self.gamma = self.add_weight(f"{name}/gamma", (channels,), initializer="ones")
            self.beta = self.add_weight(f"{name}/beta", (channels,), initializer="zeros")
        self.mean, self.variance = (self._average(f"{name}/{which}", channels) for which in ("avg_mean", "avg_var"))

    def _average(self, name: str, channels: int) -> tf.Variable:
        return self.add_weight(name, (channels,), initializer="zeros", trainable=False,
                               synchronization=tf.VariableSynchronization.ON_READ,
                               aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def call(self, x: tf.Tensor, labels, training: bool) -> tf.Tensor:
        """x by the batch's statistics, moving the averages, if `training`; else by the averages."""
        if training:
            y, mean, variance = standardise(x, self.epsilon)
            self._move(mean[0], variance[0], x.shape[0] * x.shape[1] * x.shape[2])
        else:
            y = (tf.cast(x, tf.float32) - self.mean) * tf.math.rsqrt(self.variance + self.epsilon)
        y = y * self.gamma + self.beta if self.tables is None else self.tables.modulate(y, labels)
        return tf.cast(y, x.dtype)

    def _move(self, mean: tf.Tensor, variance: tf.Tensor, count: int) -> None:
        count = count * tf.distribute.get_strategy().num_replicas_in_sync
        self.mean.assign(self.mean * self.decay + mean * (1.0 - self.decay))
        self.variance.assign(self.variance * self.decay + variance * (count / max(count - 1, 1) * (1.0 - self.decay)))


class UpBlock(tf.keras.layers.Layer):
    """norm, ReLU, upsample, 3x3, norm, ReLU, 3x3; plus upsample, 1x1."""

    def __init__(self, name: str, inputs: int, outputs: int, classes: int, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.b1, self.b2 = RunningNorm(f"{name}/b1", inputs, classes), RunningNorm(f"{name}/b2", outputs, classes)
        self.c1 = Conv(f"{name}/c1", inputs, outputs, 3, style, np.sqrt(2))
        self.c2 = Conv(f"{name}/c2", outputs, outputs, 3, style, np.sqrt(2))
        self.c_sc = Conv(f"{name}/c_sc", inputs, outputs, 1, style)

    def call(self, x: tf.Tensor, labels, training: bool) -> tf.Tensor:
        """Arguments as in `RunningNorm.call`."""
        h = self.c1(upsample(tf.nn.relu(self.b1(x, labels, training=training))))
        h = self.c2(tf.nn.relu(self.b2(h, labels, training=training)))
        return self.c_sc(upsample(x)) + h


class DownBlock(tf.keras.layers.Layer):
    """ReLU (not in the first block), 3x3, ReLU, 3x3, (mean pool); plus the input, through 1x1 where its shape changes."""

    def __init__(self, name: str, inputs: int, outputs: int, down: bool, style: Style, first: bool = False):
        super().__init__(dtype="float32", autocast=False)
        self.down, self.first = down, first
        hidden = outputs if first else inputs
        self.c1 = Conv(f"{name}/c1", inputs, hidden, 3, style, np.sqrt(2))
        self.c2 = Conv(f"{name}/c2", hidden, outputs, 3, style, np.sqrt(2))
        self.c_sc = Conv(f"{name}/c_sc", inputs, outputs, 1, style) if down or inputs != outputs else None

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """`update` advances u of all weights."""
        pool = mean_pool if self.down else tf.identity
        h = self.c1(x if self.first else tf.nn.relu(x), update=update)
        h = pool(self.c2(tf.nn.relu(h), update=update))
        if self.c_sc is None:
            return x + h
        # The first block pools the image, the others the result: the same numbers, but fewer operations here.
        return h + (self.c_sc(pool(x), update=update) if self.first else pool(self.c_sc(x, update=update)))


class ChainerNetwork(ClassNetwork):
    """A network whose checkpoint file has Chainer's layouts, and the unused counters N of its batch norms."""

    class_tables = ("/gammas/W", "/betas/W", "l_y/W")
    norms: tuple = ()

    @staticmethod
    def _axes(name: str, rank: int):
        if rank == 4:
            return (3, 2, 0, 1)
        return (1, 0) if rank == 2 and re.fullmatch(r"l\d+/W", name) else tuple(range(rank))

    def shapes(self):
        shapes = {name: tuple(v.shape[i] for i in self._axes(name, v.shape.rank)) for name, v in self.named().items()}
        return {**shapes, **{f"{norm}/N": () for norm in self.norms}}

    def arrays(self):
        for name, variable in self.named().items():
            yield name, np.ascontiguousarray(variable.numpy().transpose(self._axes(name, variable.shape.rank)))
        for norm in self.norms:
            yield f"{norm}/N", np.zeros((), np.int64)

    def assign_array(self, name, value):
        if name.rsplit("/", 1)[-1] != "N":
            self.named()[name].assign(value.transpose(np.argsort(self._axes(name, value.ndim))))


class Generator(ChainerNetwork):
    """z -> linear to 4x4 -> blocks -> batch norm, ReLU, 3x3, tanh.

    Args:
        ch: width.
        classes: 0 for an unconditional one.
    """

    def __init__(self, table: Table, ch: int, dim_z: int, classes: int, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.start, number = classes, table.start * ch, len(table.up) + 2
        widths = [self.start, *(m * ch for m in table.up)]
        self.l1 = Dense("l1", dim_z, 16 * self.start, style)
        self.blocks = [UpBlock(f"block{i + 1}", widths[i - 1], widths[i], classes, style) for i in range(1, len(widths))]
        self.norm = RunningNorm(f"b{number}", widths[-1], 0)
        self.last = Conv(f"{table.last}{number}", widths[-1], 3, 3, style)
        self.norms = (f"b{number}", *(f"block{i + 1}/{b}" for i in range(1, len(widths)) for b in ("b1", "b2")))

    def call(self, z: tf.Tensor, labels=None, training: bool = True) -> tf.Tensor:
        """Latents [n, dim_z] (with labels as in `class_rows`) -> float32 [n, size, size, 3] in (-1, 1).

        Args:
            training: batch statistics, moving the running averages; else the averages.
        """
        x = tf.transpose(tf.reshape(self.l1(z), [z.shape[0], self.start, 4, 4]), [0, 2, 3, 1])
        for block in self.blocks:
            x = block(x, labels, training=training)
        return tf.tanh(tf.cast(self.last(tf.nn.relu(self.norm(x, labels, training=training))), tf.float32))


class Discriminator(ChainerNetwork):
    """Blocks, ReLU, sum over the image -> h; logit = l(h) + <embedding of the label, h>; or with the label concatenated.

    Args:
        ch: width.
        classes: 0: no labels.
        concat: width of the embedding that is appended to the features; 0: projection.
    """

    def __init__(self, table: Table, ch: int, classes: int, concat: int, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.concat, self.concat_after = classes, concat if classes else 0, table.concat
        self.compute = compute_dtype()
        self.blocks, inputs = [DownBlock("block1", 3, ch, True, style, first=True)], ch
        for i, (multiple, down) in enumerate(table.down):
            inputs += self.concat if i == self.concat_after else 0
            self.blocks.append(DownBlock(f"block{i + 2}", inputs, multiple * ch, down, style))
            inputs = multiple * ch
        self.last = Dense(f"l{len(self.blocks) + 1}", inputs, 1, style, bias=table.bias)
        self.l_y = Embedding("l_y", classes, self.concat or inputs, style) if classes else None

    def call(self, images: tf.Tensor, labels=None, update: bool = True) -> tf.Tensor:
        """Logits float32 [n, 1] of images [n, size, size, 3]; `update` advances u of all weights, once."""
        x = tf.cast(images, self.compute)
        y = None if self.l_y is None else self.l_y(labels, update=update)
        for i, block in enumerate(self.blocks):
            if self.concat and i == self.concat_after + 1:
                tiles = tf.broadcast_to(y[:, None, None, :], [*x.shape[:3], y.shape[-1]])
                x = tf.concat([x, tf.cast(tiles, x.dtype)], 3)
            x = block(x, update=update)
        h = tf.reduce_sum(tf.cast(tf.nn.relu(x), tf.float32), (1, 2))
        logits = self.last(h, update=update)
        if y is None or self.concat:
            return logits
        return logits + tf.reduce_sum(y * h, 1, keepdims=True)

    def spectral_weights(self):
        """(name, matrix [rows, columns], u) of every normalised weight."""
        named = {name: v.numpy() for name, v in self.named().items()}
        for name in [n for n in named if n.endswith("/u")]:
            kernel = named[f"{name[:-2]}/W"]
            yield name[:-2], kernel.T if name == "l_y/u" else kernel.reshape(-1, kernel.shape[-1]), named[name]
