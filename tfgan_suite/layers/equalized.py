"""Layers of progressive growing: equalised learning rate, pixel norm, minibatch standard deviation, resizing by two.

Weights are drawn from N(0, 1) and multiplied by a constant at run time (Karras et al., ICLR 2018, section 4.1), here with the
constants of alenmora/ppgan (modelUtils.py), which differ from the paper's in the dense layers. Images are NHWC.
"""
from __future__ import annotations

import math

import tensorflow as tf

from tfgan_suite.layers import seeded

SQRT2 = math.sqrt(2.0)


class EqualizedConv(tf.keras.layers.Layer):
    """Convolution with equalised learning rate: conv(x, W) * gain / sqrt(inputs * size^2) + b.

    Args:
        prefix: of the variables' names, `<prefix>.bias` [outputs] and `<prefix>.conv.weight` [size, size, inputs, outputs].
        padding: 'SAME' (odd sizes only) or 'VALID'.
        seed: of the initial weights.
    """

    def __init__(self, prefix: str, inputs: int, outputs: int, size: int, gain: float = SQRT2, padding: str = "SAME",
                 seed: int = 0):
        super().__init__()
        self.scale, self.padding = gain / math.sqrt(inputs * size * size), padding
        self.bias = self.add_weight(f"{prefix}.bias", (outputs,), initializer="zeros")
        kernel = f"{prefix}.conv.weight"
        self.kernel = self.add_weight(kernel, (size, size, inputs, outputs), initializer=seeded.normal(seed, kernel))

    def call(self, x):
        """[n, h, w, inputs] -> [n, h', w', outputs]."""
        return tf.nn.conv2d(x, self.kernel, 1, self.padding) * self.scale + self.bias


class EqualizedDense(tf.keras.layers.Layer):
    """Dense layer with equalised learning rate: (x W) * scale + b.

    Args:
        prefix: of the variables' names, `<prefix>.bias` [outputs] and `<prefix>.linear.weight` [inputs, outputs].
        scale: the constant; by default the original's sqrt(2) / sqrt(inputs + outputs). The paper's is gain / sqrt(inputs).
        seed: of the initial weights.
    """

    def __init__(self, prefix: str, inputs: int, outputs: int, scale: float | None = None, seed: int = 0):
        super().__init__()
        self.scale = SQRT2 / math.sqrt(inputs + outputs) if scale is None else scale
        self.bias = self.add_weight(f"{prefix}.bias", (outputs,), initializer="zeros")
        kernel = f"{prefix}.linear.weight"
        self.kernel = self.add_weight(kernel, (inputs, outputs), initializer=seeded.normal(seed, kernel))

    def call(self, x):
        """[n, inputs] -> [n, outputs]."""
        return tf.matmul(x, self.kernel) * self.scale + self.bias


def lrelu(x: tf.Tensor) -> tf.Tensor:
    """Leaky ReLU of slope 0.2."""
    return tf.nn.leaky_relu(x, 0.2)


def pixel_norm(x: tf.Tensor) -> tf.Tensor:
    """x / sqrt(mean over channels of x^2 + 1e-8), in float32 inside (1e-8 is zero in half precision)."""
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + 1e-8), x.dtype)


def minibatch_stddev(x: tf.Tensor, group: int, centre: bool = True) -> tf.Tensor:
    """Appends a channel that tells how much the samples of a group differ (paper section 3).

    Sample n belongs to set n % (N / group). The new channel is, for each set, the mean over pixels and channels of the standard
    deviation over its `group` samples.

    Args:
        x: [N, H, W, C]; `group` divides N.
        centre: the activations that go on are the ones with the set's mean removed: alenmora/ppgan writes them in place, and
            its snapshots depend on it. False: they go on untouched, as in the paper.

    Returns:
        [N, H, W, C + 1].
    """
    n, h, w, c = x.shape
    wide = tf.reshape(tf.cast(x, tf.float32), [group, n // group, h, w, c])
    centred = wide - tf.reduce_mean(wide, 0, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(centred), 0) + 1e-8)
    value = tf.tile(tf.reduce_mean(deviation, [1, 2, 3]), [group])
    plane = tf.broadcast_to(tf.reshape(value, [n, 1, 1, 1]), [n, h, w, 1])
    kept = tf.cast(tf.reshape(centred, [n, h, w, c]), x.dtype) if centre else x
    return tf.concat([kept, tf.cast(plane, x.dtype)], -1)


def upsample_bilinear(x: tf.Tensor) -> tf.Tensor:
    """Twice as large; pixel centres at half-integers, edges repeated."""
    _, h, w, _ = x.shape
    return tf.cast(tf.image.resize(x, [2 * h, 2 * w], "bilinear"), x.dtype)


def upsample_nearest(x: tf.Tensor) -> tf.Tensor:
    """Twice as large; every pixel four times."""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def downsample(x: tf.Tensor) -> tf.Tensor:
    """Half as large: the mean of 2x2 pixels."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")
