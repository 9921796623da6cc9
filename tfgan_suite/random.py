"""Random numbers that are a function of (seed, iteration, name) and of nothing else."""
from __future__ import annotations

import zlib

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed


def generator(seed: int, *keys) -> np.random.Generator:
    """A NumPy generator for host-side draws, a function of the seed and of the keys (ints or strings)."""
    return np.random.default_rng([seed,
                                  *(zlib.crc32(k.encode()) if isinstance(k, str) else int(k) for k in keys)])


class Draws:
    """Stateless draws of one iteration.

    Every method takes a name, unique within the iteration, and a shape whose first axis is the *global*
    batch; it returns this replica's rows, so that the numbers do not depend on how many devices there are.

    Args:
        seed: the run's seed.
        step: int64 scalar tensor, the iteration.
    """

    def __init__(self, seed: int, step: tf.Tensor):
        self.seed, self.step = seed, tf.cast(step, tf.int64)

    def _key(self, name: str) -> tf.Tensor:
        return tf.stack([tf.constant((self.seed << 32) + zlib.crc32(name.encode()), tf.int64), self.step])

    def normal(self, name: str, shape) -> tf.Tensor:
        """N(0, 1), float32."""
        return distributed.local(tf.random.stateless_normal(shape, self._key(name)))

    def uniform(self, name: str, shape, low=0.0, high=1.0) -> tf.Tensor:
        """U[low, high), float32."""
        return distributed.local(tf.random.stateless_uniform(shape, self._key(name), low, high))

    def integers(self, name: str, shape, high: int) -> tf.Tensor:
        """Uniform integers in [0, high), int32."""
        return distributed.local(tf.random.stateless_uniform(shape, self._key(name), 0, high, tf.int32))

    def shared(self, name: str, shape, low=0.0, high=1.0) -> tf.Tensor:
        """U[low, high), float32, whole and equal on every replica: decisions that hold for the global
        batch."""
        return tf.random.stateless_uniform(shape, self._key(name), low, high)
