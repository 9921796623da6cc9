"""Activations: functions of tensors, and the two with weights."""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.layers.conventions import Convention
from tfgan_suite.layers.passes import REST, Pass

relu = tf.nn.relu


SLOPE = 0.2  # of the leaky ReLU


def lrelu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x)."""
    return tf.nn.leaky_relu(x, SLOPE) if x.dtype == tf.float32 else _half_lrelu(x)


@tf.custom_gradient
def _half_lrelu(x: tf.Tensor) -> tf.Tensor:
    """The same in bfloat16, whose gradient goes by float32: on a CPU TensorFlow's own in bfloat16 takes nine
    times as long."""
    def gradient(upstream):
        wide = [tf.cast(t, tf.float32) for t in (upstream, x)]
        return tf.cast(tf.raw_ops.LeakyReluGrad(gradients=wide[0], features=wide[1], alpha=SLOPE), x.dtype)

    return tf.nn.leaky_relu(x, SLOPE), gradient


def gate(x: tf.Tensor) -> tf.Tensor:
    """sigmoid(even channels) * tanh(odd channels): [..., 2c] -> [..., c]."""
    return tf.sigmoid(x[..., 0::2]) * tf.tanh(x[..., 1::2])


@tf.custom_gradient
def sigmoid(x: tf.Tensor) -> tf.Tensor:
    """1 / (1 + exp(-x)) to the last bit, float32, any shape.

    TensorFlow's own is an approximation whose 1 - y is 20 % off at x = 15, where a saturating cross-entropy
    looks.
    """
    y = 1.0 / (1.0 + tf.exp(-x))
    return y, lambda upstream: upstream * y * (1.0 - y)


class PReLU(tf.keras.layers.Layer):
    """x where x > 0, else weight * x; one weight per channel, 0.25 at first (He et al., ICCV 2015).

    float32 inside: a choice between numbers of bfloat16 takes a CPU three times as long.
    """

    def __init__(self, title: str, channels: int, convention: Convention):
        super().__init__(dtype="float32", autocast=False)
        self.w = self.add_weight(convention.name("kernel", "prelu", title), (channels,),
                                 initializer=tf.keras.initializers.Constant(0.25))

    def call(self, x: tf.Tensor, how: Pass = REST) -> tf.Tensor:
        """[n, ..., channels] -> the same."""
        wide = tf.cast(x, tf.float32)
        return tf.cast(tf.where(wide > 0, wide, self.w * wide), x.dtype)


class TPReLU(PReLU):
    """Translated PReLU: PReLU(x - bias) + bias with the slope clamped to [0, 1] (Xiang and Li, arXiv
    1704.03971).

    The slope gets no gradient while its stored value is outside [0, 1].
    """

    def __init__(self, title: str, channels: int, convention: Convention):
        super().__init__(title, channels, convention)
        self.bias = self.add_weight(convention.name("bias", "prelu", title), (channels,), initializer="zeros")

    def call(self, x, how=REST):
        """[n, ..., channels] -> the same."""
        slope, bias = tf.clip_by_value(tf.convert_to_tensor(self.w), 0.0, 1.0), self.bias
        moved = tf.cast(x, tf.float32) - bias
        return tf.cast(tf.where(moved > 0, moved, slope * moved) + bias, x.dtype)
