"""G and D of the `3DGAN` program (spec jsreg_3dgan, section 3): two tanh layers and a linear one."""
from __future__ import annotations

import zlib

import tensorflow as tf

from tfgan_suite.layers import Network

STDDEV = 0.1


def initial(name: str, shape, seed: int, run) -> tf.Tensor:
    """First value of a variable in a run, a function of (seed, run, name): zero biases, truncated normal weights.

    Args:
        name: the original's, such as 'generator/W1'.
        run: int or int64 scalar tensor.
    """
    if "/b" in name:
        return tf.zeros(shape)
    key = tf.stack([tf.constant((seed << 32) + zlib.crc32(name.encode()), tf.int64), tf.cast(run, tf.int64)])
    return STDDEV * tf.random.stateless_truncated_normal(shape, key)


class Mlp(Network):
    """tanh(tanh(x W1 + b1) W2 + b2) W3 + b3, in float32.

    Args:
        scope: 'generator' or 'discriminator'.
        sizes: of input, both hidden layers and output.
        seed, run: of the initial weights.
    """

    def __init__(self, scope: str, sizes: tuple, seed: int, run: int = 0):
        super().__init__(dtype="float32")
        for i in (1, 2, 3):
            setattr(self, f"w{i}", self._variable(f"{scope}/W{i}", sizes[i - 1:i + 1], seed, run))
            setattr(self, f"b{i}", self._variable(f"{scope}/b{i}", sizes[i:i + 1], seed, run))

    def _variable(self, name: str, shape: tuple, seed: int, run: int) -> tf.Variable:
        return self.add_weight(name, shape, initializer=lambda shape, dtype: initial(name, shape, seed, run))

    def call(self, x, training=False):
        """[B, in] -> [B, out]."""
        h = tf.tanh(tf.matmul(x, self.w1) + self.b1)
        h = tf.tanh(tf.matmul(h, self.w2) + self.b2)
        return tf.matmul(h, self.w3) + self.b3


def generator(params, run: int = 0) -> Mlp:
    """z [B, z_dim] -> points [B, 3]."""
    return Mlp("generator", (params.z_dim, params.hidden, params.hidden, 3), params.seed, run)


def discriminator(params, run: int = 0) -> Mlp:
    """Points [B, 3] -> logits [B, 1]."""
    return Mlp("discriminator", (3, params.hidden, params.hidden, 1), params.seed, run)
