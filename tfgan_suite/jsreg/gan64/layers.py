"""Building blocks of the 64x64 family: the `tflib` of igul222/improved_wgan_training, in NHWC.

Weights keep the original's names and layouts: `Filters` HWIO (transposed convolutions [k, k, out, in]), `W` [in, out].
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed, random

relu = tf.nn.relu


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(0.2 x, x)."""
    return tf.nn.leaky_relu(x, 0.2)


def gate(x: tf.Tensor) -> tf.Tensor:
    """sigmoid(even channels) * tanh(odd channels): [..., 2c] -> [..., c]."""
    return tf.sigmoid(x[..., 0::2]) * tf.tanh(x[..., 1::2])


def mean_pool(x: tf.Tensor) -> tf.Tensor:
    """Means of 2x2 pixels."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def upsample(x: tf.Tensor) -> tf.Tensor:
    """Every pixel four times: nearest neighbour, twice the side."""
    return tf.nn.depth_to_space(tf.concat([x] * 4, -1), 2)


def shuffle(x: tf.Tensor) -> tf.Tensor:
    """[n, h, w, 4c] -> [n, 2h, 2w, c]: channel (2*dy + dx)*c + i becomes channel i of the pixel at offset (dy, dx)."""
    return tf.nn.depth_to_space(x, 2)


def to_maps(x: tf.Tensor) -> tf.Tensor:
    """[n, c*4*4], channel-major as in the original -> [n, 4, 4, c]."""
    return tf.transpose(tf.reshape(x, [-1, x.shape[-1] // 16, 4, 4]), [0, 2, 3, 1])


def flatten(x: tf.Tensor) -> tf.Tensor:
    """[n, h, w, c] -> [n, c*h*w], channel-major as in the original."""
    return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, math.prod(x.shape[1:])])


class Chain(tf.keras.layers.Layer):
    """Layers and plain functions, one after the other."""

    def __init__(self, *steps):
        super().__init__()
        self.steps = steps

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Residual(tf.keras.layers.Layer):
    """shortcut(x) + scale * branch(x)."""

    def __init__(self, shortcut, branch, scale: float = 1.0):
        super().__init__()
        self.shortcut, self.branch, self.scale = shortcut, branch, scale

    def call(self, x):
        shortcut, branch = self.shortcut(x), self.branch(x)
        return shortcut + self.scale * tf.cast(branch, shortcut.dtype)


class Affine(tf.keras.layers.Layer):
    """Weights and bias of a linear, convolution or transposed convolution layer.

    Args:
        name: full name in the original.
        arrays: names of the weights and of the bias below it.
        initial: first weights; uniform with standard deviation by the layer's rule.
        output: axis of the outputs in the weights.
        bias: whether there is a bias (it starts at zero).
        weightnorm: w * g / |w| instead of w, with one g per output that starts at |w| (Salimans & Kingma 2016).
    """

    def __init__(self, name: str, arrays: tuple, initial: np.ndarray, output: int, bias: bool, weightnorm: bool):
        super().__init__()
        self.kernel = self.add_weight(f"{name}.{arrays[0]}", initial.shape, initializer=_constant(initial))
        self.axes = [axis for axis in range(initial.ndim) if axis != output]
        self.length = self.bias = None
        if weightnorm:
            length = np.sqrt(np.sum(np.square(initial), tuple(self.axes)))
            self.length = self.add_weight(f"{name}.g", length.shape, initializer=_constant(length))
        if bias:
            self.bias = self.add_weight(f"{name}.{arrays[1]}", (initial.shape[output],), initializer="zeros")

    def effective(self) -> tf.Tensor:
        """The weights that are applied."""
        if self.length is None:
            return tf.convert_to_tensor(self.kernel)
        length = tf.reshape(self.length, [1 if axis in self.axes else -1 for axis in range(len(self.kernel.shape))])
        norm = tf.sqrt(tf.reduce_sum(tf.square(self.kernel), self.axes, keepdims=True))
        return self.kernel * (length / norm)

    def shifted(self, x: tf.Tensor) -> tf.Tensor:
        """x plus the bias."""
        return x if self.bias is None else x + self.bias


class Linear(Affine):
    """[n, in] -> [n, out]."""

    def call(self, x):
        return self.shifted(tf.matmul(x, self.effective()))


class Conv(Affine):
    """Convolution with TensorFlow's SAME padding."""

    stride = 1

    def call(self, x):
        return self.shifted(tf.nn.conv2d(x, self.effective(), self.stride, "SAME"))


class StridedConv(Conv):
    """The same with stride 2: half the side."""

    stride = 2


class Deconv(Affine):
    """Transposed convolution with stride 2: the gradient of `StridedConv`, twice the side."""

    def call(self, x):
        height, width = 2 * x.shape[1], 2 * x.shape[2]
        size = tf.stack([tf.shape(x)[0], height, width, self.kernel.shape[2]])
        y = tf.nn.conv2d_transpose(x, self.effective(), size, 2, "SAME")
        return self.shifted(tf.ensure_shape(y, [x.shape[0], height, width, self.kernel.shape[2]]))


@dataclass(frozen=True)
class NormKind:
    """How a normalisation layer computes its statistics.

    Attributes:
        axes: what is averaged over; always the present batch, in sampling too: the original has no moving statistics.
        epsilon: added to the variance.
        stopped: take the variance around a constant mean, as `tf.nn.moments` does. First derivatives are right, second ones
            (of the JS regulariser and of the gradient penalty) are not; this is what the original had where it used it.
        operation: TensorFlow's fused batch norm can do it, which is faster.
    """

    axes: tuple
    epsilon: float
    stopped: bool = False
    operation: bool = False


NORMS = {
    "fused": NormKind((0, 1, 2), 1e-5, operation=True),
    "tf13": NormKind((0, 1, 2), 1e-4, stopped=True),
    "tf13_exact": NormKind((0, 1, 2), 1e-4),
    "layer": NormKind((1, 2, 3), 1e-5),
    "layer_tf13": NormKind((1, 2, 3), 1e-5, stopped=True),
}


class Norm(tf.keras.layers.Layer):
    """Batch or layer normalisation with a scale and an offset per channel, in float32.

    Args:
        kind: of `NORMS`.
        synced: batch statistics of all replicas together.

    Attributes:
        fused: use the fused operation; its plain twin gives the same numbers, also in second derivatives.
    """

    def __init__(self, name: str, channels: int, kind: str, synced: bool):
        super().__init__(dtype="float32")
        self.kind = NORMS[kind]
        self.fused = self.kind.operation and (distributed.replicas() == 1 or not synced)
        self.average = distributed.all_mean if synced and 0 in self.kind.axes else tf.identity
        self.offset = self.add_weight(f"{name}.offset", (channels,), initializer="zeros")
        self.scale = self.add_weight(f"{name}.scale", (channels,), initializer="ones")

    def call(self, x):
        if self.fused:
            return tf.raw_ops.FusedBatchNormV3(x=x, scale=self.scale, offset=self.offset, mean=[], variance=[],
                                               epsilon=self.kind.epsilon, is_training=True).y
        mean = self.average(tf.reduce_mean(x, self.kind.axes, keepdims=True))
        centre = tf.stop_gradient(mean) if self.kind.stopped else mean
        variance = self.average(tf.reduce_mean(tf.square(x - centre), self.kind.axes, keepdims=True))
        return (x - mean) * (tf.math.rsqrt(variance + self.kind.epsilon) * self.scale) + self.offset


@dataclass(frozen=True)
class Make:
    """Makes the layers of one network.

    Attributes:
        prefix: in front of all names: 'Generator.' or 'Discriminator.'.
        seed: of the initial weights.
        dim: the original's DIM, the width of the networks.
        hidden: width of the MLP's hidden layers (FC_DIM).
        norm_kind: of `NORMS`, or 'none'.
        synced: batch statistics of all replicas together.
        stdev: standard deviation of all first weights; None for each layer's own rule.
        weightnorm: of all linear and convolution layers.
    """

    prefix: str
    seed: int = 0
    dim: int = 64
    hidden: int = 512
    norm_kind: str = "fused"
    synced: bool = True
    stdev: float | None = None
    weightnorm: bool = False

    def but(self, **changes) -> Make:
        """A copy with other attributes."""
        return replace(self, **changes)

    def _uniform(self, name: str, shape: tuple, deviation: float) -> np.ndarray:
        bound = (deviation if self.stdev is None else self.stdev) * math.sqrt(3.0)
        return random.generator(self.seed, self.prefix + name).uniform(-bound, bound, shape).astype(np.float32)

    def linear(self, name: str, inputs: int, outputs: int, he: bool = False, bias: bool = True) -> Linear:
        """[n, inputs] -> [n, outputs]; Glorot's rule, or He's."""
        deviation = math.sqrt(2.0 / inputs if he else 2.0 / (inputs + outputs))
        initial = self._uniform(name, (inputs, outputs), deviation)
        return Linear(self.prefix + name, ("W", "b"), initial, 1, bias, self.weightnorm)

    def conv(self, name: str, inputs: int, outputs: int, size: int, stride: int = 1, he: bool = True,
             bias: bool = True) -> Conv:
        """A `size` x `size` convolution with stride 1 or 2."""
        deviation = _deviation(inputs * size**2, outputs * size**2 // stride**2, he)
        initial = self._uniform(name, (size, size, inputs, outputs), deviation)
        layer = Conv if stride == 1 else StridedConv
        return layer(self.prefix + name, ("Filters", "Biases"), initial, 3, bias, self.weightnorm)

    def deconv(self, name: str, inputs: int, outputs: int, size: int) -> Deconv:
        """A `size` x `size` transposed convolution with stride 2."""
        deviation = _deviation(inputs * size**2 // 4, outputs * size**2, True)
        initial = self._uniform(name, (size, size, outputs, inputs), deviation)
        return Deconv(self.prefix + name, ("Filters", "Biases"), initial, 2, True, self.weightnorm)

    def norm(self, name: str, channels: int):
        """Normalisation of this network's kind."""
        return tf.identity if self.norm_kind == "none" else Norm(self.prefix + name, channels, self.norm_kind, self.synced)

    def residual(self, name: str, inputs: int, outputs: int, resample: str = "") -> Residual:
        """Pre-activation block with two 3x3 convolutions; `resample` is 'up', 'down' or ''.

        Up-sampling comes before a convolution and pooling after it, in the shortcut before it too.
        """
        before = {"up": [upsample]}.get(resample, [])
        after = {"down": [mean_pool]}.get(resample, [])
        middle = outputs if resample == "up" else inputs
        shortcut = tf.identity
        if resample or inputs != outputs:
            shortcut = Chain(*before, *after, self.conv(f"{name}.Shortcut", inputs, outputs, 1, he=False))
        branch = Chain(self.norm(f"{name}.BN1", inputs), relu,
                       *before, self.conv(f"{name}.Conv1", inputs, middle, 3, bias=False),
                       self.norm(f"{name}.BN2", middle), relu,
                       self.conv(f"{name}.Conv2", middle, outputs, 3), *after)
        return Residual(shortcut, branch)

    def bottleneck(self, name: str, inputs: int, outputs: int, resample: str = "") -> Residual:
        """1x1, 3x3, 1x1 convolutions through half the channels, scaled by 0.3; `resample` is 'up', 'down' or ''."""
        half, stride = (inputs // 2, outputs // 2), 2 if resample == "down" else 1
        shortcut = tf.identity
        if resample == "up":
            shortcut = Chain(self.conv(f"{name}.Shortcut", inputs, 4 * outputs, 1, he=False), shuffle)
        elif resample or inputs != outputs:
            shortcut = self.conv(f"{name}.Shortcut", inputs, outputs, 1, stride, he=False)
        first = self.conv(f"{name}.Conv1", inputs, half[0], 1)
        middle = self.deconv(f"{name}.Conv1B", *half, 3) if resample == "up" else self.conv(f"{name}.Conv1B", *half, 3, stride)
        last = self.conv(f"{name}.Conv2", half[1], outputs, 1, bias=False)
        return Residual(shortcut, Chain(relu, first, relu, middle, relu, last, self.norm(f"{name}.BN", outputs)), 0.3)


def _deviation(inputs: int, outputs: int, he: bool) -> float:
    return math.sqrt((4.0 if he else 2.0) / (inputs + outputs))


def _constant(values: np.ndarray):
    def initial(shape, dtype=None):
        return tf.reshape(tf.constant(values, dtype), shape)

    return initial
