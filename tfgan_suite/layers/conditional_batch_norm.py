"""Conditional batch normalisation: batch statistics shared by all samples, scale and offset of each sample's class.

V. Dumoulin, J. Shlens, M. Kudlur, "A Learned Representation for Artistic Style", ICLR 2017 (there for instance norm);
H. de Vries et al., "Modulating early visual processing by language", NIPS 2017.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite import distributed


def class_rows(table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Rows of `table` [classes, C] for `labels`: int [n], or float [n, classes] with the weight of each class.

    A matrix product instead of a look-up: its gradient is dense, which is what the originals' optimisers amount to.
    """
    if not labels.dtype.is_floating:
        labels = tf.one_hot(labels, table.shape[0])
    return tf.matmul(labels, table)


def standardise(x: tf.Tensor, epsilon: float, groups: int = 1):
    """x with zero mean and unit variance per channel, in float32, by exact statistics of the global batch.

    Args:
        x: [n, H, W, C].
        groups: the batch is cut into so many parts with statistics of their own; row i belongs to part i % groups, so that
            the parts are the same however many devices share the batch.

    Returns:
        (float32 [n, H, W, C], mean [groups, C], biased variance [groups, C]).
    """
    n, h, w, c = x.shape
    parts = tf.reshape(tf.cast(x, tf.float32), [n // groups, groups, h, w, c])
    mean, variance = distributed.moments(parts, (0, 2, 3))
    y = (parts - mean) * tf.math.rsqrt(variance + epsilon)
    return tf.reshape(y, [n, h, w, c]), tf.reshape(mean, [groups, c]), tf.reshape(variance, [groups, c])


class ConditionalBatchNorm(tf.keras.layers.Layer):
    """y = (x - mean) / sqrt(variance + epsilon) * scale[label] + offset[label], always with batch statistics.

    Args:
        scale, offset: full names of the tables.
        classes, channels: their shape.
        epsilon: 1e-5 in watsonyanghx/GAN_Lib_Tensorflow, 2e-5 in the authors' Chainer code.
    """

    def __init__(self, scale: str, offset: str, classes: int, channels: int, epsilon: float = 1e-5):
        super().__init__(dtype="float32", autocast=False)
        self.offset = self.add_weight(offset, (classes, channels), initializer="zeros")
        self.scale = self.add_weight(scale, (classes, channels), initializer="ones")
        self.epsilon = epsilon

    def modulate(self, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Scale and offset of each sample's class (or mix of classes) on standardised x [n, H, W, C]."""
        scale, offset = class_rows(self.scale, labels), class_rows(self.offset, labels)
        return x * scale[:, None, None, :] + offset[:, None, None, :]

    def call(self, x: tf.Tensor, labels: tf.Tensor, groups: int = 1) -> tf.Tensor:
        """x [n, H, W, C] with labels as in `class_rows`; `groups` as in `standardise`. Returns x's type."""
        y, _, _ = standardise(x, self.epsilon, groups)
        return tf.cast(self.modulate(y, labels), x.dtype)
