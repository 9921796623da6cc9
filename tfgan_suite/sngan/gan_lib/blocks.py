"""Residual blocks of watsonyanghx/GAN_Lib_Tensorflow: section A5. All take and give NHWC images.

Variables are made in the original's order: Shortcut, N1, Conv1, N2, Conv2.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.sngan.gan_lib.norms import GeneratorNorm, LayerNorm
from tfgan_suite.sngan.gan_lib.ops import Conv2D, Style


def mean_pool(x: tf.Tensor) -> tf.Tensor:
    """Means of 2x2 pixels: [n, H, W, C] -> [n, H/2, W/2, C]."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def upsample(x: tf.Tensor) -> tf.Tensor:
    """Every pixel four times: [n, H, W, C] -> [n, 2H, 2W, C]."""
    n, h, w, c = x.shape
    wide = tf.broadcast_to(x[:, :, None, :, None, :], [n, h, 2, w, 2, c])
    return tf.reshape(wide, [n, 2 * h, 2 * w, c])


class GeneratorBlock(tf.keras.layers.Layer):
    """norm, ReLU, (upsample) 3x3, norm, ReLU, 3x3; plus the input (through 1x1 where its shape changes).

    Args:
        name: full name, such as 'Generator/G.Block.1'.
        norm: kind of `GeneratorNorm`.
        classes: of a conditional norm.
        up: whether it doubles the size.
    """

    def __init__(self, name: str, inputs: int, outputs: int, style: Style, norm: str, classes: int, up: bool = True,
                 biases: bool = True):
        super().__init__(dtype="float32", autocast=False)
        self.up = up
        self.shortcut = None
        if up or inputs != outputs:
            self.shortcut = Conv2D(f"{name}.Shortcut", inputs, outputs, style, size=1, he_init=False, biases=biases)
        self.norm1 = GeneratorNorm(f"{name}.N1", inputs, norm, classes)
        self.conv1 = Conv2D(f"{name}.Conv1", inputs, outputs, style, biases=biases)
        self.norm2 = GeneratorNorm(f"{name}.N2", outputs, norm, classes)
        self.conv2 = Conv2D(f"{name}.Conv2", outputs, outputs, style, biases=biases)

    def call(self, x: tf.Tensor, labels, groups: int = 1, update: bool = True) -> tf.Tensor:
        """Arguments as in `GeneratorNorm.call`."""
        scale = upsample if self.up else tf.identity
        shortcut = x if self.shortcut is None else self.shortcut(scale(x))
        h = tf.nn.relu(self.norm1(x, labels, groups=groups, update=update))
        h = self.conv1(scale(h))
        h = tf.nn.relu(self.norm2(h, labels, groups=groups, update=update))
        return shortcut + self.conv2(h)


class DiscriminatorBlock(tf.keras.layers.Layer):
    """(layer norm) ReLU, 3x3, (layer norm) ReLU, 3x3 (mean pool); plus the input (through 1x1 where its shape changes).

    Args:
        name: full name, such as 'Discriminator/D.Block.2'.
        resample: 'down' halves the size and keeps the width in the first convolution, 'up' doubles it (unused in the
            networks), '' neither.
        norm: whether there are layer norms.
    """

    def __init__(self, name: str, inputs: int, outputs: int, style: Style, resample: str = "", norm: bool = False):
        super().__init__(dtype="float32", autocast=False)
        self.resample = resample
        hidden = inputs if resample == "down" else outputs
        last = name.rsplit("/", 1)[-1]
        self.shortcut = None
        if resample or inputs != outputs:
            self.shortcut = Conv2D(f"{name}.Shortcut", inputs, outputs, style, size=1, he_init=False)
        self.norm1 = LayerNorm(f"{name}.N1/{last}.N1", inputs) if norm else None
        self.conv1 = Conv2D(f"{name}.Conv1", inputs, hidden, style)
        self.norm2 = LayerNorm(f"{name}.N2/{last}.N2", hidden) if norm else None
        self.conv2 = Conv2D(f"{name}.Conv2", hidden, outputs, style)

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """`update` advances spectral normalisation."""
        before = upsample if self.resample == "up" else tf.identity
        after = mean_pool if self.resample == "down" else tf.identity
        shortcut = x if self.shortcut is None else after(self.shortcut(before(x), update=update))
        h = tf.nn.relu(x if self.norm1 is None else self.norm1(x))
        h = self.conv1(before(h), update=update)
        h = tf.nn.relu(h if self.norm2 is None else self.norm2(h))
        return shortcut + after(self.conv2(h, update=update))


class FirstBlock(tf.keras.layers.Layer):
    """The discriminator's first block: 3x3, ReLU, 3x3, mean pool; plus mean pool, 1x1 of the image. Halves the size."""

    def __init__(self, name: str, outputs: int, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.shortcut = Conv2D(f"{name}.Shortcut", 3, outputs, style, size=1, he_init=False)
        self.conv1 = Conv2D(f"{name}.Conv1", 3, outputs, style)
        self.conv2 = Conv2D(f"{name}.Conv2", outputs, outputs, style)

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """`update` advances spectral normalisation."""
        shortcut = self.shortcut(mean_pool(x), update=update)
        h = tf.nn.relu(self.conv1(x, update=update))
        return shortcut + mean_pool(self.conv2(h, update=update))
