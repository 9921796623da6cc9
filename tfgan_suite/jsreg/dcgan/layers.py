"""The building blocks of the `carpedm20_DCGAN` program (spec jsreg_dcgan, section 2): NHWC, the original's variable names."""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.layers import seeded

STDDEV = 0.02
DECAY, EPSILON = 0.9, 1e-5


def lrelu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x)."""
    return tf.nn.leaky_relu(x, 0.2)


def with_label_maps(x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """[B, H, W, C] and [B, n] -> [B, H, W, C + n]: the labels, the same at every pixel, after the channels."""
    height, width = x.shape[1], x.shape[2]
    maps = tf.broadcast_to(labels[:, None, None, :], [tf.shape(x)[0], height, width, labels.shape[1]])
    return tf.concat([x, tf.cast(maps, x.dtype)], axis=-1)


class Linear(tf.keras.layers.Layer):
    """x W + b; `weights` [in, out], `biases` [out]."""

    def __init__(self, name: str, inputs: int, outputs: int, seed: int):
        super().__init__()
        initializer = seeded.normal(seed, f"{name}/weights", STDDEV)
        self.w = self.add_weight(f"{name}/weights", (inputs, outputs), initializer=initializer)
        self.b = self.add_weight(f"{name}/biases", (outputs,), initializer="zeros")

    def call(self, x):
        """[B, in] -> [B, out]."""
        return tf.matmul(x, self.w) + self.b


class Conv(tf.keras.layers.Layer):
    """5x5 convolution, stride 2, TF's SAME padding: n -> ceil(n / 2). `filters` [5, 5, in, out]."""

    def __init__(self, name: str, inputs: int, outputs: int, seed: int):
        super().__init__()
        initializer = seeded.truncated_normal(seed, f"{name}/filters", STDDEV)
        self.filters = self.add_weight(f"{name}/filters", (5, 5, inputs, outputs), initializer=initializer)
        self.biases = self.add_weight(f"{name}/biases", (outputs,), initializer="zeros")

    def call(self, x):
        """[B, H, W, in] -> [B, ceil(H/2), ceil(W/2), out]."""
        return tf.nn.bias_add(tf.nn.conv2d(x, self.filters, 2, "SAME"), self.biases)


class Deconv(tf.keras.layers.Layer):
    """The transpose of `Conv`, to the size (height, width), whose ceil-halves are the input's. `filters` [5, 5, out, in]."""

    def __init__(self, name: str, inputs: int, outputs: int, size: tuple, seed: int):
        super().__init__()
        self.shape = (*size, outputs)
        initializer = seeded.normal(seed, f"{name}/filters", STDDEV)
        self.filters = self.add_weight(f"{name}/filters", (5, 5, outputs, inputs), initializer=initializer)
        self.biases = self.add_weight(f"{name}/biases", (outputs,), initializer="zeros")

    def call(self, x):
        """[B, h, w, in] -> [B, height, width, out]."""
        y = tf.nn.conv2d_transpose(x, self.filters, [tf.shape(x)[0], *self.shape], 2, "SAME")
        return tf.nn.bias_add(y, self.biases)


def moments_of_tf13(x: tf.Tensor, axes) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance as `tf.nn.moments` has them: the mean inside the variance is a constant for the gradient.

    The first derivative is exact, since d variance / d mean is zero; the second one lacks a term.
    """
    mean = distributed.all_mean(tf.reduce_mean(x, axes, keepdims=True))
    variance = distributed.all_mean(tf.reduce_mean(tf.square(x - tf.stop_gradient(mean)), axes, keepdims=True))
    return mean, variance


class BatchNorm(tf.keras.layers.Layer):
    """Batch norm over all axes but the last, of the whole (global) batch, in float32.

    In training it moves `moving_mean` and `moving_variance` by a tenth towards each batch it sees; else it uses them.

    Args:
        name: `beta`, `gamma`, `moving_mean`, `moving_variance` [channels] follow it.
        mode: 'fused': exact derivatives of every order, and the moving variance takes the unbiased one, as TensorFlow >= 1.4
            does; 'tf13': the moments of TensorFlow 1.3, biased.
    """

    def __init__(self, name: str, channels: int, mode: str):
        super().__init__(dtype="float32")
        self.mode = mode
        still = {"trainable": False, "synchronization": tf.VariableSynchronization.ON_READ,
                 "aggregation": tf.VariableAggregation.MEAN}
        self.beta = self.add_weight(f"{name}/beta", (channels,), initializer="zeros")
        self.gamma = self.add_weight(f"{name}/gamma", (channels,), initializer="ones")
        self.moving_mean = self.add_weight(f"{name}/moving_mean", (channels,), initializer="zeros", **still)
        self.moving_variance = self.add_weight(f"{name}/moving_variance", (channels,), initializer="ones", **still)

    def call(self, x, training: bool):
        """x [..., channels] -> the same shape."""
        if not training:
            scale = tf.math.rsqrt(self.moving_variance + EPSILON) * self.gamma
            return x * scale + (self.beta - self.moving_mean * scale)
        axes = list(range(x.shape.rank - 1))
        moments = distributed.moments if self.mode == "fused" else moments_of_tf13
        mean, variance = moments(x, axes)
        self._move(x, tf.reshape(mean, [-1]), tf.reshape(variance, [-1]))
        return (x - mean) * (tf.math.rsqrt(variance + EPSILON) * self.gamma) + self.beta

    def _move(self, x, mean, variance):
        if self.mode == "fused":
            count = tf.cast(tf.size(x) // x.shape[-1] * distributed.replicas(), tf.float32)
            variance = variance * count / tf.maximum(count - 1.0, 1.0)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(DECAY * moving + (1.0 - DECAY) * tf.stop_gradient(batch))
