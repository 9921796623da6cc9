"""Spectral normalisation: a weight divided by an estimate of its largest singular value.

T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
algorithm 1. Two forms of its gradient are in use, and both are here: watsonyanghx/GAN_Lib_Tensorflow lets gradients flow
through the power iteration (the default), the authors' Chainer code treats the singular vectors as constants.
"""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.layers import seeded


def _unit(x: tf.Tensor) -> tf.Tensor:
    return x / (tf.sqrt(tf.reduce_sum(tf.square(x))) + 1e-12)


def power_iteration(matrix: tf.Tensor, u: tf.Tensor, iterations: int = 1, stop_gradient: bool = False):
    """Estimates the largest singular value of `matrix` [rows, columns].

    Args:
        u: [1, columns], the estimate of the right singular vector from the step before; a constant.
        iterations: how many times v = unit(u M'), u = unit(v M); at least 1.
        stop_gradient: u and v are constants, so that the gradient of sigma is v'u; else it flows through the iterations.

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


class SpectralNorm(tf.keras.layers.Layer):
    """Normalises one weight; keeps the vector `u` between calls.

    Args:
        name: full name of the variable `u`.
        columns: its length, the number of outputs of the weight.
        seed: of the initial u, N(0, 1).
        truncated: whether values beyond two deviations are redrawn (TensorFlow original) or not (Chainer).
        iterations, stop_gradient: see `power_iteration`.
    """

    def __init__(self, name: str, columns: int, seed: int, truncated: bool = True, iterations: int = 1,
                 stop_gradient: bool = False):
        super().__init__(dtype="float32", autocast=False)
        start = seeded.truncated_normal(seed, name) if truncated else seeded.normal(seed, name)
        # Every device computes the same u from the same weights, so each keeps its own copy and no traffic is needed.
        self.u = self.add_weight(name, (1, columns), initializer=start, trainable=False,
                                 synchronization=tf.VariableSynchronization.ON_READ,
                                 aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
        self.iterations, self.stop_gradient = iterations, stop_gradient

    def call(self, matrix: tf.Tensor, update: bool) -> tf.Tensor:
        """`matrix` [rows, columns] divided by the estimate; `update` stores the new u (the original's
        `update_collection=None`), else u stays (`NO_OPS`)."""
        sigma, u = power_iteration(matrix, self.u.read_value(), self.iterations, self.stop_gradient)
        if update:
            self.u.assign(u)
        return matrix / sigma

    def kernel(self, kernel: tf.Tensor, update: bool) -> tf.Tensor:
        """A kernel [..., outputs] normalised as the matrix [everything else, outputs]."""
        return tf.reshape(self(tf.reshape(kernel, [-1, kernel.shape[-1]]), update=update), kernel.shape)


def normalised_singular_value(matrix: np.ndarray, u: np.ndarray) -> float:
    """The true largest singular value of `matrix` after its normalisation with `u`: 1 where the estimate is exact.

    Args:
        matrix: float [rows, columns].
        u: [1, columns].
    """
    matrix = np.asarray(matrix, np.float64)
    v = u @ matrix.T
    v /= np.linalg.norm(v) + 1e-12
    return float(np.linalg.norm(matrix, 2) / (np.linalg.norm(v @ matrix) + 1e-12))
