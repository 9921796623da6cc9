"""Convolution, linear layer and label embedding of watsonyanghx/GAN_Lib_Tensorflow (`common/ops`): sections A2 and A3.

Variables have the original's names and layouts: `<name>/Filters` HWIO, `<name>/Biases`, `<name>/W` (in, out), `<name>/b`, and
the vector u of spectral normalisation `<name>/filters/spectral_norm/u` or `<name>/spectral_norm/u`.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.layers import seeded
from tfgan_suite.layers.conditional_batch_norm import class_rows
from tfgan_suite.layers.spectral_norm import SpectralNorm


@dataclass(frozen=True)
class Style:
    """What all layers of one network have in common.

    Attributes:
        seed: of the initial weights.
        spectral: whether weights are spectrally normalised.
        stop_gradient: whether the gradient stops at the power iteration.
        iterations: of the power iteration in each call.
    """

    seed: int = 0
    spectral: bool = False
    stop_gradient: bool = False
    iterations: int = 1

    def norm(self, name: str, columns: int, truncated: bool = True) -> SpectralNorm | None:
        """The normaliser of a weight with `columns` outputs, its vector called `name`; None where there is none."""
        if not self.spectral:
            return None
        return SpectralNorm(name, columns, self.seed, truncated, self.iterations, self.stop_gradient)


def compute_dtype() -> str:
    """The run's compute type (`--precision`); weights, statistics and losses stay float32."""
    return tf.keras.mixed_precision.global_policy().compute_dtype


def weight_norm(kernel: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
    """The kernel with each output's L2 norm set to g: kernel * g / |kernel|."""
    axes = list(range(kernel.shape.rank - 1))
    return kernel * (g / tf.sqrt(tf.reduce_sum(tf.square(kernel), axes)))


def causal_mask(kind: str, n: int, shape) -> np.ndarray:
    """PixelCNN's mask of a kernel HWIO: only what is above, or left in the same row, is seen.

    Args:
        kind: 'a' hides the centre pixel's own channel group too, 'b' does not.
        n: channel groups.
    """
    k, _, inputs, outputs = shape
    mask = np.ones((k, k, inputs, outputs), np.float32)
    centre = k // 2
    mask[centre + 1:] = 0
    mask[centre, centre + 1:] = 0
    for i in range(n):
        for j in range(n):
            if (kind == "a" and i >= j) or (kind == "b" and i > j):
                mask[centre, centre, i::n, j::n] = 0
    return mask


class Conv2D(tf.keras.layers.Layer):
    """Convolution of NHWC images; the networks use stride 1 and SAME padding.

    The kernel is drawn from U(-s*sqrt(3), s*sqrt(3)) * gain, s = sqrt((4 if he_init else 2) / (fan_in + fan_out)). On the
    kernel, weight normalisation, mask and spectral normalisation act in this order.

    Args:
        name: prefix of the variables.
        conv_type: 'conv2d', 'depthwise_conv2d' or 'separable_conv2d'; the latter two have `multiplier` filters a channel.
        mask: (kind, n) of `causal_mask`, or None.
        weight_norm: adds the variable `<name>/g`.
        inputs_norm: multiplies the input by sqrt(2 / fan_in).
    """

    def __init__(self, name: str, inputs: int, outputs: int, style: Style, size: int = 3, stride: int = 1,
                 padding: str = "SAME", he_init: bool = True, biases: bool = True, gain: float = 1.0, mask=None,
                 weight_norm: bool = False, inputs_norm: bool = False, conv_type: str = "conv2d", multiplier: int = 0):
        super().__init__(dtype="float32", autocast=False)
        fan_in, fan_out = inputs * size**2, outputs * size**2 / stride**2
        if mask:
            fan_in, fan_out = fan_in / 2, fan_out / 2
        limit = np.sqrt(3.0 * (4.0 if he_init else 2.0) / (fan_in + fan_out)) * gain
        self.conv_type, self.stride, self.padding = conv_type, stride, padding
        self.input_scale = float(np.sqrt(2.0 / fan_in)) if inputs_norm else None
        self.style, self.limit, self.norms = style, limit, {}
        self.kernel = self._kernel(f"{name}/Filters", f"{name}/filters", (size, size, inputs, outputs))
        if multiplier:
            self.depthwise = self._kernel(f"{name}/depthwise_filters", f"{name}/depthwise_filters",
                                          (size, size, inputs, multiplier))
            self.pointwise = self._kernel(f"{name}/pointwise_filters", f"{name}/pointwise_filters",
                                          (1, 1, inputs * multiplier, outputs))
        self.g = None
        if weight_norm:
            start = np.sqrt(np.sum(np.square(self.kernel.numpy()), (0, 1, 2)))
            self.g = self.add_weight(f"{name}/g", (outputs,), initializer=tf.constant_initializer(start))
        self.mask = causal_mask(*mask, self.kernel.shape) if mask else None
        self.bias = self.add_weight(f"{name}/Biases", (outputs,), initializer="zeros") if biases else None
        self.compute = compute_dtype()

    def _kernel(self, name: str, norm_name: str, shape) -> tf.Variable:
        kernel = self.add_weight(name, shape, initializer=seeded.uniform(self.limit, self.style.seed, name))
        norm = self.style.norm(f"{norm_name}/spectral_norm/u", shape[-1])
        if norm is not None:
            self.norms[norm_name.rsplit("/", 1)[1]] = norm
        return kernel

    def _ready(self, kernel, role: str, update: bool) -> tf.Tensor:
        """The kernel as the convolution uses it, in the compute type."""
        if role == "filters":
            kernel = kernel if self.g is None else weight_norm(kernel, self.g)
            kernel = kernel if self.mask is None else kernel * self.mask
        if role in self.norms:
            kernel = self.norms[role].kernel(kernel, update)
        return tf.cast(kernel, self.compute)

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """[n, H, W, inputs] -> [n, H', W', outputs] in the compute type. `update` advances spectral normalisation."""
        x = tf.cast(x, self.compute)
        if self.input_scale is not None:
            x = x * self.input_scale
        strides = [1, self.stride, self.stride, 1]
        if self.conv_type == "conv2d":
            y = tf.nn.conv2d(x, self._ready(self.kernel, "filters", update), strides, self.padding)
        else:
            depthwise = self._ready(self.depthwise, "depthwise_filters", update)
            if self.conv_type == "depthwise_conv2d":
                y = tf.nn.depthwise_conv2d(x, depthwise, strides, self.padding)
            else:
                pointwise = self._ready(self.pointwise, "pointwise_filters", update)
                y = tf.nn.separable_conv2d(x, depthwise, pointwise, strides, self.padding)
        return y if self.bias is None else y + tf.cast(self.bias, self.compute)


def linear_limit(initialization, inputs: int, outputs: int) -> float:
    """Half the width of the uniform distribution of a linear layer's initial weights.

    Args:
        initialization: None, 'glorot' or 'xavier', 'lecun', 'he', 'glorot_he', or ('uniform', r).
    """
    if isinstance(initialization, tuple):
        return float(initialization[1])
    variance = {"lecun": 1.0 / inputs, "he": 2.0 / inputs, "glorot_he": 4.0 / (inputs + outputs)}
    return float(np.sqrt(3.0 * variance.get(initialization or "glorot", 2.0 / (inputs + outputs))))


class Linear(tf.keras.layers.Layer):
    """Fully connected layer on the last axis.

    Args:
        initialization: see `linear_limit`, or 'orthogonal'.
        weight_norm: adds the variable `<name>/g`.
        inputs_norm: multiplies the input by sqrt(2 / inputs).
    """

    def __init__(self, name: str, inputs: int, outputs: int, style: Style, biases: bool = True, initialization=None,
                 gain: float = 1.0, weight_norm: bool = False, inputs_norm: bool = False):
        super().__init__(dtype="float32", autocast=False)
        full = f"{name}/W"
        start = (seeded.orthogonal(style.seed, full) if initialization == "orthogonal" else
                 seeded.uniform(linear_limit(initialization, inputs, outputs) * gain, style.seed, full))
        self.kernel = self.add_weight(full, (inputs, outputs), initializer=start)
        self.g = None
        if weight_norm:
            norms = np.sqrt(np.sum(np.square(self.kernel.numpy()), 0))
            self.g = self.add_weight(f"{name}/g", (outputs,), initializer=tf.constant_initializer(norms))
        self.norm = style.norm(f"{name}/spectral_norm/u", outputs)
        self.bias = self.add_weight(f"{name}/b", (outputs,), initializer="zeros") if biases else None
        self.input_scale = float(np.sqrt(2.0 / inputs)) if inputs_norm else None
        self.compute = compute_dtype()

    def call(self, x: tf.Tensor, update: bool = False) -> tf.Tensor:
        """[..., inputs] -> [..., outputs] in the compute type. `update` advances spectral normalisation."""
        kernel = self.kernel if self.g is None else weight_norm(tf.convert_to_tensor(self.kernel), self.g)
        if self.norm is not None:
            kernel = self.norm.kernel(tf.convert_to_tensor(kernel), update)
        x = tf.cast(x, self.compute)
        if self.input_scale is not None:
            x = x * self.input_scale
        y = tf.tensordot(x, tf.cast(kernel, self.compute), [[-1], [0]])
        return y if self.bias is None else y + tf.cast(self.bias, self.compute)


class LabelEmbedding(tf.keras.layers.Layer):
    """A row of a table for each label: `<scope>Embedding.Label/embedding_map`, U(-0.08, 0.08).

    Args:
        table: float [classes, dim] to use instead, not trained (the original's `word2vec_file`), or None.
    """

    def __init__(self, scope: str, classes: int, dim: int, style: Style, table: np.ndarray | None = None):
        super().__init__(dtype="float32", autocast=False)
        name = f"{scope}Embedding.Label/embedding_map"
        start = seeded.uniform(0.08, style.seed, name) if table is None else tf.constant_initializer(table)
        self.table = self.add_weight(name, (classes, dim), initializer=start, trainable=table is None)

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        """Labels [n] (or weights of classes [n, classes]) -> float32 [n, dim]."""
        return class_rows(self.table, labels)
