"""A layer's convolution for the discriminators of a stack: of one, or of several in one matrix product."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.layers.linear import convolve


def convolve_one(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, stride: int, pad: int) -> tf.Tensor:
    """One discriminator's layer: x [1, n, h, w, in], kernel [1, k, k, in, out], bias [1, out] -> [1, n, h',
    w', out].

    Squeezed, not indexed: the gradient of an index is a zero-filled copy of the whole.
    """
    x, kernel, bias = (tf.squeeze(t, 0) for t in (x, kernel, bias))
    return tf.expand_dims(convolve(x, kernel, stride, (pad, pad)) + bias, 0)


def convolve_all(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, stride: int, pad: int) -> tf.Tensor:
    """The same for c discriminators in one batched matrix product: x [c, n, h, w, in] -> [c, n, h', w', out].

    Every convolution is written out as the matrix from all input pixels to all output pixels. On sides of 8
    pixels and less that wastes little arithmetic, and it replaces the many small operations whose overhead is
    what such layers cost.
    """
    c, _, h, w, channels = x.shape
    k, out = kernel.shape[1], kernel.shape[-1]
    taps = _placement(h, w, k, stride, pad)
    oh, ow = taps.shape[2:4]
    matrix = tf.matmul(taps.reshape(-1, k * k).astype(x.dtype.as_numpy_dtype),
                       tf.reshape(kernel, [c, k * k, channels * out]))
    matrix = tf.reshape(matrix, [c, h * w, oh * ow, channels, out])
    matrix = tf.reshape(tf.transpose(matrix, [0, 1, 3, 2, 4]), [c, h * w * channels, oh * ow * out])
    y = tf.matmul(tf.reshape(x, [c, -1, h * w * channels]), matrix) + tf.tile(bias, [1, oh * ow])[:, None]
    return tf.reshape(y, [c, -1, oh, ow, out])


def _placement(h: int, w: int, k: int, stride: int, pad: int) -> np.ndarray:
    """float32 [h, w, h', w', k, k]: one where an input pixel meets a tap of the kernel at an output pixel."""
    sides = []
    for side in (h, w):
        out = (side + 2 * pad - k) // stride + 1
        i, o, t = np.ogrid[:side, :out, :k]
        sides.append((i == o * stride - pad + t).astype(np.float32))
    return np.einsum("yos,xpt->yxopst", *sides)
