"""Losses of the LIS programs, all on sigmoid outputs: PyTorch's cross-entropy of 2017 saturates."""
from __future__ import annotations

import tensorflow as tf

EPSILON = 1e-12


@tf.custom_gradient
def bce(x: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """-mean(t log(x + 1e-12) + (1 - t) log(1 - x + 1e-12)) of the *sigmoid* output x, float32, any shape.

    At an exact 0 or 1 on the wrong side the value is 27.63 and, through the sigmoid, the gradient is zero:
    such a discriminator does not recover (the paper's runs were made with that). The gradient is PyTorch's
    of 2017, (x - t) / ((1 - x + 1e-12) (x + 1e-12)) / N. Not for logits.
    """
    above, below = x + EPSILON, 1.0 - x + EPSILON
    value = -tf.reduce_mean(target * tf.math.log(above) + (1.0 - target) * tf.math.log(below))

    def gradient(upstream):
        return upstream * (x - target) / (below * above) / tf.cast(tf.size(x), x.dtype), None

    return value, gradient


def mse(x: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """mean((x - t)^2) over all elements."""
    return tf.reduce_mean(tf.square(x - target))


def adversarial(output: tf.Tensor, real: bool, least_squares: bool) -> tf.Tensor:
    """Loss of D's sigmoid output [N, 1] against 'all real' or 'all fake'; `--ls` keeps the sigmoid."""
    target = tf.ones_like(output) if real else tf.zeros_like(output)
    return mse(output, target) if least_squares else bce(output, target)


def similarity(vectors, noise: tf.Tensor, strength: float) -> tf.Tensor:
    """How far each LIS module has moved the noise: strength^(i+1) * mean((x_{i+1} - z)^2), a vector
    [modules].

    Args:
        vectors: x_1 ... x_n, each [N, code].
        noise: z [N, code]; nothing is detached, so module j also serves all later terms.
        strength: lambda_r.
    """
    if not vectors:
        return tf.zeros([0])
    return tf.stack([strength ** (i + 1) * mse(x, noise) for i, x in enumerate(vectors)])
