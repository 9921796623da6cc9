"""Normalisations of watsonyanghx/GAN_Lib_Tensorflow (`common/ops/normalization.py`): section A4.

Images [n, H, W, C] in any float type come back in the same type; statistics are float32.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.layers.conditional_batch_norm import ConditionalBatchNorm, standardise


class BatchNorm(tf.keras.layers.Layer):
    """`contrib.layers.batch_norm` as the original calls it: batch statistics always, moving averages kept but never read.

    The average of the mean is corrected for its start at zero (`zero_debias_moving_mean`), that of the variance is not and
    takes the unbiased variance. They are kept because the original's checkpoints hold them.

    Args:
        scope: full name of the surrounding scope.
    """

    def __init__(self, scope: str, channels: int, epsilon: float = 1e-5, decay: float = 0.9):
        super().__init__(dtype="float32", autocast=False)
        name = f"{scope}/BatchNorm"
        self.beta = self.add_weight(f"{name}/beta", (channels,), initializer="zeros")
        self.gamma = self.add_weight(f"{name}/gamma", (channels,), initializer="ones")
        helper = f"{name}/{name}/moving_mean"
        self.mean = self._average(f"{name}/moving_mean", (channels,), "zeros")
        self.variance = self._average(f"{name}/moving_variance", (channels,), "ones")
        self.biased = self._average(f"{helper}/biased", (channels,), "zeros")
        self.local_step = self._average(f"{helper}/local_step", (), "zeros")
        self.epsilon, self.decay = epsilon, decay

    def _average(self, name: str, shape, start: str) -> tf.Variable:
        return self.add_weight(name, shape, initializer=start, trainable=False,
                               synchronization=tf.VariableSynchronization.ON_READ,
                               aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def call(self, x: tf.Tensor, groups: int = 1, update: bool = True) -> tf.Tensor:
        """Normalises x in `groups` parts (see `standardise`); `update` moves the averages, once a part."""
        y, mean, variance = standardise(x, self.epsilon, groups)
        if update:
            count = x.shape[0] * x.shape[1] * x.shape[2] // groups * tf.distribute.get_strategy().num_replicas_in_sync
            for part in reversed(range(groups)):
                self._move(mean[part], variance[part] * (count / max(count - 1, 1)))
        return tf.cast(y * self.gamma + self.beta, x.dtype)

    def _move(self, mean: tf.Tensor, variance: tf.Tensor) -> None:
        step = self.local_step + 1.0
        biased = self.biased * self.decay + mean * (1.0 - self.decay)
        self.local_step.assign(step)
        self.biased.assign(biased)
        self.mean.assign(biased / (1.0 - tf.pow(self.decay, step)))
        self.variance.assign(self.variance * self.decay + variance * (1.0 - self.decay))


class LayerNorm(tf.keras.layers.Layer):
    """`contrib.layers.layer_norm`: statistics of each sample over H, W and C, scale and offset per channel, epsilon 1e-12."""

    def __init__(self, scope: str, channels: int, epsilon: float = 1e-12):
        super().__init__(dtype="float32", autocast=False)
        self.beta = self.add_weight(f"{scope}/beta", (channels,), initializer="zeros")
        self.gamma = self.add_weight(f"{scope}/gamma", (channels,), initializer="ones")
        self.epsilon = epsilon

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalises every sample of x by itself."""
        y = tf.cast(x, tf.float32)
        y = y - tf.reduce_mean(y, (1, 2, 3), keepdims=True)
        y = y * tf.math.rsqrt(tf.reduce_mean(tf.square(y), (1, 2, 3), keepdims=True) + self.epsilon)
        return tf.cast(y * self.gamma + self.beta, x.dtype)


def pixel_norm(x: tf.Tensor, epsilon: float = 1e-8) -> tf.Tensor:
    """Every pixel's channels divided by their root mean square."""
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + epsilon)


class GeneratorNorm(tf.keras.layers.Layer):
    """The normalisation of G in front of a ReLU, by kind.

    Args:
        scope: full name of the surrounding scope, such as 'Generator/G.Block.1.N1'.
        kind: 'conditional', 'plain' or 'none'.
        classes: of the conditional tables.
    """

    def __init__(self, scope: str, channels: int, kind: str, classes: int):
        super().__init__(dtype="float32", autocast=False)
        self.kind = kind
        if kind == "conditional":
            self.norm = ConditionalBatchNorm(f"{scope}/CondBatchNorm/scale", f"{scope}/CondBatchNorm/offset", classes, channels)
        elif kind == "plain":
            self.norm = BatchNorm(scope, channels)

    def call(self, x: tf.Tensor, labels, groups: int = 1, update: bool = True) -> tf.Tensor:
        """x normalised in `groups` parts; `update` moves the averages of a plain batch norm."""
        if self.kind == "conditional":
            return self.norm(x, labels, groups=groups)
        if self.kind == "plain":
            return self.norm(x, groups=groups, update=update)
        return x
