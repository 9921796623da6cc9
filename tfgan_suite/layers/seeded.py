"""Initial weights that are a function of (seed, variable name) and of nothing else."""
from __future__ import annotations

import zlib

import tensorflow as tf


def _seed(seed: int, name: str) -> int:
    return zlib.crc32(f"{seed}/{name}".encode()) & 0x7FFFFFFF


def uniform(limit: float, seed: int, name: str) -> tf.keras.initializers.Initializer:
    """U(-limit, limit) for the variable `name`."""
    return tf.keras.initializers.RandomUniform(-limit, limit, seed=_seed(seed, name))


def normal(seed: int, name: str, deviation: float = 1.0) -> tf.keras.initializers.Initializer:
    """N(0, deviation^2) for the variable `name`."""
    return tf.keras.initializers.RandomNormal(0.0, deviation, seed=_seed(seed, name))


def truncated_normal(seed: int, name: str, deviation: float = 1.0) -> tf.keras.initializers.Initializer:
    """N(0, deviation^2) redrawn beyond two deviations, for the variable `name`; the deviation is not
    corrected for the cut."""
    return tf.keras.initializers.TruncatedNormal(0.0, deviation, seed=_seed(seed, name))
