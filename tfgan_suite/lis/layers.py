"""Layers of the LIS networks: weight normalisation by the output, TPReLU, and PyTorch's layers of May 2017.

Variables carry the original's full state key. In memory they have TensorFlow's layouts; `networks.LisNetwork` turns them
into the original's (rank 4: (2, 3, 1, 0) back to OIHW, rank 2: transposed) when a file is read or written.
"""
from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite import distributed

NORM_EPSILON = 1e-6  # inside the root of every weight norm
BATCH_EPSILON = 1e-5
BATCH_MOMENTUM = 0.1


@dataclass(frozen=True)
class Style:
    """What surrounds a linear map: division by the weight norm, then a scale, then a bias."""

    normalise: bool
    scale: bool
    bias: bool


PLAIN = Style(normalise=False, scale=False, bias=True)
WEIGHT = Style(normalise=True, scale=False, bias=False)
WEIGHT_AFFINE = Style(normalise=True, scale=True, bias=True)


def uniform(seed: int, name: str, bound: float, low: float | None = None) -> tf.keras.initializers.Initializer:
    """U(-bound, bound), or U(low, bound): a function of the run's seed and the variable's name only."""
    key = zlib.crc32(f"{seed}/{name}".encode())
    return tf.keras.initializers.RandomUniform(-bound if low is None else low, bound, seed=key)


class Mapped(tf.keras.layers.Layer):
    """y = map(x, W) [/ sqrt(c * sum W^2 + 1e-6)] [* scale] [+ bias], the norm per output, with its gradient.

    Args:
        name: state key of the layer, such as 'level.0.conv'.
        shape: of W, in TensorFlow's layout.
        inputs: the axes of W over which the norm sums; the one that is left numbers the outputs.
        style: which of norm, scale and bias there are.
        bound: W starts as U(-bound, bound); 1/sqrt(fan-in) in PyTorch of 2017.
        bias_bound: the bias starts as U(-bias_bound, bias_bound).
        seed: of the initial weights.
    """

    norm_factor = 1.0

    def __init__(self, name: str, shape: tuple, inputs: tuple, style: Style, bound: float, bias_bound: float, seed: int):
        super().__init__()
        self.style, self.inputs = style, inputs
        outputs = next(n for axis, n in enumerate(shape) if axis not in inputs)
        vector = self._vector_shape(len(shape), outputs, style)
        self.w = self.add_weight(f"{name}.weight", shape, initializer=uniform(seed, f"{name}.weight", bound))
        self.bias = self.scale = None
        if style.bias:
            start = uniform(seed, f"{name}.bias", bias_bound) if bias_bound else "zeros"
            self.bias = self.add_weight(f"{name}.bias", vector, initializer=start)
        if style.scale:
            self.scale = self.add_weight(f"{name}.scale", vector, initializer="ones")

    @staticmethod
    def _vector_shape(rank: int, outputs: int, style: Style) -> tuple:
        if not style.normalise:
            return (outputs,)
        return (1, 1, outputs, 1) if rank == 4 else (outputs, 1)  # the original's (1, out, 1, 1) and (1, out), transposed

    def map(self, x, w):
        """The bias-free linear map."""
        raise NotImplementedError

    def norm(self) -> tf.Tensor:
        """The divisor of each output, [outputs]."""
        squares = tf.reduce_sum(tf.square(tf.cast(self.w, tf.float32)), self.inputs)
        return tf.sqrt(self.norm_factor * squares + NORM_EPSILON)

    def call(self, x):
        """[N, ..., in] -> [N, ..., out]."""
        y = self.map(x, tf.convert_to_tensor(self.w))
        if self.style.normalise:
            y = y / tf.cast(self.norm(), y.dtype)
        if self.scale is not None:
            y = y * tf.reshape(self.scale, [-1])
        return y if self.bias is None else y + tf.reshape(self.bias, [-1])


class Conv(Mapped):
    """2-D convolution with symmetric zero padding; W is (kh, kw, in, out).

    Args:
        kernel: (kh, kw).
        padding: zeros on each side, (vertical, horizontal).
    """

    def __init__(self, name, inputs, outputs, kernel, stride, padding, style, seed=0):
        bound = 1.0 / math.sqrt(inputs * kernel[0] * kernel[1])
        super().__init__(name, (*kernel, inputs, outputs), (0, 1, 2), style, bound, 0.0 if style.normalise else bound, seed)
        self.stride, self.padding = stride, [[0, 0], [padding[0]] * 2, [padding[1]] * 2, [0, 0]]

    def map(self, x, w):
        """[N, h, w, in] -> [N, (h + 2p - k) / s + 1, ..., out]."""
        return tf.nn.conv2d(x, w, self.stride, self.padding)


class TransposedConv(Mapped):
    """Transposed convolution; W is (kh, kw, out, in), and the norm counts 1/stride^2 of the squares.

    PyTorch of 2017 took the fan-in from the input channels.
    """

    def __init__(self, name, inputs, outputs, kernel, stride, padding, style, seed=0):
        bound = 1.0 / math.sqrt(inputs * kernel[0] * kernel[1])
        super().__init__(name, (*kernel, outputs, inputs), (0, 1, 3), style, bound, 0.0 if style.normalise else bound, seed)
        self.norm_factor = 1.0 / stride ** 2
        self.kernel, self.stride, self.padding, self.outputs = kernel, stride, padding, outputs

    def map(self, x, w):
        """[N, h, w, in] -> [N, (h - 1) s + k - 2p, ..., out]."""
        sides = [(n - 1) * self.stride + k - 2 * p for n, k, p in zip(x.shape[1:3], self.kernel, self.padding)]
        padding = [[0, 0], [self.padding[0]] * 2, [self.padding[1]] * 2, [0, 0]]
        return tf.nn.conv2d_transpose(x, w, [tf.shape(x)[0], *sides, self.outputs], self.stride, padding)


class Linear(Mapped):
    """Fully connected; W is (in, out). A weight-normalised one starts `factor` times smaller, its bias too."""

    def __init__(self, name, inputs, outputs, style, factor=1.0, seed=0):
        bound = (factor if style.normalise else 1.0) / math.sqrt(inputs)
        super().__init__(name, (inputs, outputs), (0,), style, bound, bound, seed)

    def map(self, x, w):
        """[N, in] -> [N, out]."""
        return tf.matmul(x, w)


class PReLU(tf.keras.layers.Layer):
    """x where x > 0, else weight * x; one weight per channel, 0.25 at first."""

    def __init__(self, name: str, channels: int):
        super().__init__()
        self.w = self.add_weight(f"{name}.weight", (channels,), initializer=tf.keras.initializers.Constant(0.25))

    def call(self, x):
        """Any [N, ..., channels]."""
        return tf.where(x > 0, x, self.w * x)


class TPReLU(PReLU):
    """Translated PReLU: PReLU(x - bias) + bias with the slope clamped to [0, 1] (Xiang and Li, 2017).

    The slope gets no gradient while its stored value is outside [0, 1].
    """

    def __init__(self, name: str, channels: int):
        super().__init__(name, channels)
        self.bias = self.add_weight(f"{name}.bias", (channels,), initializer="zeros")

    def call(self, x):
        """Any [N, ..., channels]."""
        slope = tf.clip_by_value(tf.convert_to_tensor(self.w), 0.0, 1.0)
        moved = x - self.bias
        return tf.where(moved > 0, moved, slope * moved) + self.bias


class BatchNorm(tf.keras.layers.Layer):
    """PyTorch's batch norm of 2017: gamma starts as U(0, 1), the running variance takes the unbiased batch variance."""

    def __init__(self, name: str, channels: int, seed: int = 0):
        super().__init__()
        self.gamma = self.add_weight(f"{name}.weight", (channels,), initializer=uniform(seed, f"{name}.weight", 1.0, 0.0))
        self.beta = self.add_weight(f"{name}.bias", (channels,), initializer="zeros")
        kept = {"trainable": False, "aggregation": tf.VariableAggregation.MEAN, "experimental_autocast": False}
        self.mean = self.add_weight(f"{name}.running_mean", (channels,), initializer="zeros", **kept)
        self.variance = self.add_weight(f"{name}.running_var", (channels,), initializer="ones", **kept)

    def call(self, x, training=False):
        """[N, h, w, channels]; in training the statistics are those of the global batch, and the running ones move."""
        dtype, x = x.dtype, tf.cast(x, tf.float32)
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = (tf.reshape(m, [-1]) for m in distributed.moments(x, tuple(range(x.shape.rank - 1))))
            count = tf.cast(tf.size(x) // x.shape[-1] * distributed.replicas(), tf.float32)
            self._move(self.mean, mean)
            self._move(self.variance, variance * count / (count - 1.0))
        scale = tf.cast(self.gamma, tf.float32) * tf.math.rsqrt(variance + BATCH_EPSILON)
        return tf.cast((x - mean) * scale + tf.cast(self.beta, tf.float32), dtype)

    @staticmethod
    def _move(running, value):
        running.assign((1.0 - BATCH_MOMENTUM) * running + BATCH_MOMENTUM * tf.stop_gradient(value))


@tf.custom_gradient
def sigmoid(x: tf.Tensor) -> tf.Tensor:
    """1 / (1 + exp(-x)) to the last bit, float32, any shape.

    TensorFlow's own is an approximation whose 1 - y is 20 % off at x = 15, where the saturating cross-entropy looks.
    """
    y = 1.0 / (1.0 + tf.exp(-x))
    return y, lambda upstream: upstream * y * (1.0 - y)
