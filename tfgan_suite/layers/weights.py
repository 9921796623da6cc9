"""What a stored weight passes through on its way to the output.

A parametrisation has `before(layer, kernel, update)`, the kernel that is applied, and `after(layer, y)`, what
becomes of the output.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.layers import seeded

NORM_EPSILON = 1e-6  # inside the root of LIS' weight norm
SMALL_KERNEL = 2048  # numbers for each output: less than a batch's pixels of it, but in the innermost layers


@dataclass(frozen=True)
class Plain:
    """The stored weight is the applied one.

    Attributes:
        divided: the output is divided by the weight's norm, which some conventions' names and first values
            depend on.
        deviation: standard deviation of the first values that it wants; None: the layer's own rule.
    """

    divided = False
    deviation = None

    def variables(self, layer) -> dict[str, tf.Variable]:
        """Variables of its own, made through `layer.add_array`."""
        return {}

    def before(self, layer, kernel: tf.Tensor, update: bool) -> tf.Tensor:
        """The kernel that is applied; `update` may move state."""
        return kernel

    def after(self, layer, y: tf.Tensor) -> tf.Tensor:
        """The output, before the bias."""
        return y


@dataclass(frozen=True)
class Spectral(Plain):
    """kernel / sigma, an estimate of its largest singular value (Miyato et al., ICLR 2018, algorithm 1).

    Attributes:
        iterations: power iterations a call.
        stop_gradient: the singular vectors are constants for the gradient (the authors' Chainer code); else
            the gradient flows through the power iteration (watsonyanghx/GAN_Lib_Tensorflow).
        truncated: the first u is redrawn beyond two deviations (TensorFlow original) or not (Chainer).
    """

    iterations: int = 1
    stop_gradient: bool = False
    truncated: bool = True

    def variables(self, layer):
        name = layer.array_name("u")
        start = (seeded.truncated_normal if self.truncated else seeded.normal)(layer.seed, name)
        # Every device computes the same u from the same weights, so each keeps its own copy and no
        # traffic is needed.
        return {"u": layer.add_weight(name, (1, layer.spectral_outputs), initializer=start, trainable=False,
                                      synchronization=tf.VariableSynchronization.ON_READ,
                                      aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)}

    def before(self, layer, kernel, update):
        turned = layer.outputs_last(tf.convert_to_tensor(kernel))
        matrix = tf.reshape(turned, [-1, turned.shape[-1]])
        sigma, u = power_iteration(matrix, layer.extra["u"].read_value(), self.iterations, self.stop_gradient)
        if update:
            layer.extra["u"].assign(u)
        return layer.outputs_back(tf.reshape(matrix / sigma, turned.shape))


@dataclass(frozen=True)
class Gain(Plain):
    """kernel * g / |kernel|, one g an output that starts at |kernel| (Salimans and Kingma, NIPS 2016)."""

    def variables(self, layer):
        start = np.sqrt(np.sum(np.square(layer.kernel.numpy()), layer.input_axes))
        return {"g": layer.add_weight(layer.array_name("g"), start.shape, initializer=constant(start))}

    def before(self, layer, kernel, update):
        kernel = tf.convert_to_tensor(kernel)
        g = tf.reshape(layer.extra["g"],
                       [1 if axis in layer.input_axes else -1 for axis in range(kernel.shape.rank)])
        return kernel * (g / tf.sqrt(tf.reduce_sum(tf.square(kernel), layer.input_axes, keepdims=True)))


@dataclass(frozen=True)
class OutputNorm(Plain):
    """y / sqrt(c sum w^2 + 1e-6), then times a learned scale if wanted: the weight norm of LIS, which divides
    the output.

    c is 1, and 1 / stride^2 in a transposed convolution (aleju/gan-error-avoidance, common/modules.py).

    Attributes:
        scale: there is a learned scale.
        fast: the output is multiplied by the inverse; where a convolution's kernel is small beside the
            output, the kernel is: the same but for last bits, and fewer passes over the output and its
            gradient. False is the plain twin, the original's way.
    """

    scale: bool = False
    fast: bool = True
    divided = True

    def variables(self, layer):
        if not self.scale:
            return {}
        shape = layer.convention.vector(layer.spec)
        return {"scale": layer.add_weight(layer.array_name("scale"), shape, initializer="ones")}

    def norm(self, layer) -> tf.Tensor:
        """The divisor of each output, float32 [outputs]."""
        factor = 1.0 / layer.spec.stride**2 if layer.spec.kind == "deconv" else 1.0
        squares = tf.reduce_sum(tf.square(tf.cast(layer.kernel, tf.float32)), layer.input_axes)
        return tf.sqrt(factor * squares + NORM_EPSILON)

    def _factor(self, layer) -> tf.Tensor:
        """What each output is multiplied by, float32 [outputs]."""
        factor = 1.0 / self.norm(layer)
        return factor * tf.reshape(layer.extra["scale"], [-1]) if self.scale else factor

    def _by_kernel(self, layer) -> bool:
        spec = layer.spec
        return self.fast and spec.kind != "dense" and spec.inputs * spec.receptive <= SMALL_KERNEL

    def before(self, layer, kernel, update):
        if not self._by_kernel(layer):
            return kernel
        kernel = tf.convert_to_tensor(kernel)
        shape = [1 if axis in layer.input_axes else -1 for axis in range(kernel.shape.rank)]
        return kernel * tf.reshape(self._factor(layer), shape)

    def after(self, layer, y):
        if self._by_kernel(layer):
            return y
        if self.fast:
            return y * tf.cast(self._factor(layer), y.dtype)
        y = y / tf.cast(self.norm(layer), y.dtype)
        return y * tf.cast(tf.reshape(layer.extra["scale"], [-1]), y.dtype) if self.scale else y


@dataclass(frozen=True)
class Equalised(Plain):
    """y * constant: equalised learning rate (Karras et al., ICLR 2018, section 4.1); the weight is drawn with
    deviation 1.

    Attributes:
        constant: None: He's, sqrt(2 / fan in) of the layer.
    """

    constant: float | None = None
    deviation = 1.0

    def after(self, layer, y):
        he = math.sqrt(2.0 / (layer.spec.inputs * layer.spec.receptive))
        return y * (he if self.constant is None else self.constant)


# by name, for networks of choice
WEIGHTS = {"plain": Plain(), "spectral": Spectral(), "gain": Gain(), "equalised": Equalised()}


def constant(values: np.ndarray):
    """An initializer that gives these values."""
    return lambda shape, dtype=None: tf.reshape(tf.constant(values, dtype), shape)


def _unit(x: tf.Tensor) -> tf.Tensor:
    return x / (tf.sqrt(tf.reduce_sum(tf.square(x))) + 1e-12)


def power_iteration(matrix: tf.Tensor, u: tf.Tensor, iterations: int = 1, stop_gradient: bool = False):
    """Estimates the largest singular value of `matrix` [rows, columns].

    Args:
        u: [1, columns], the estimate of the right singular vector from the step before; a constant.
        iterations: how many times v = unit(u M'), u = unit(v M); at least 1.
        stop_gradient: u and v are constants, so that the gradient of sigma is v'u; else it flows through the
            iterations.

    Returns:
        (sigma, a scalar; the new u, [1, columns], a constant).
    """
    u = tf.stop_gradient(u)
    for _ in range(iterations):
        v = _unit(tf.matmul(u, matrix, transpose_b=True))
        u = _unit(tf.matmul(v, matrix))
    if stop_gradient:
        u, v = tf.stop_gradient(u), tf.stop_gradient(v)
    sigma = tf.reduce_sum(tf.matmul(v, matrix) * u)
    return sigma, tf.stop_gradient(u)


def normalised_singular_value(matrix: np.ndarray, u: np.ndarray) -> float:
    """The true largest singular value of `matrix` after its normalisation with `u`: 1 where the estimate is
    exact.

    Args:
        matrix: float [rows, columns].
        u: [1, columns].
    """
    matrix = np.asarray(matrix, np.float64)
    v = u @ matrix.T
    v /= np.linalg.norm(v) + 1e-12
    return float(np.linalg.norm(matrix, 2) / (np.linalg.norm(v @ matrix) + 1e-12))
