"""Learning-rate factors as functions of the iteration (a scalar tensor, from 0). All return float32."""
from __future__ import annotations

import tensorflow as tf


def constant(iteration: tf.Tensor, start: int, end: int) -> tf.Tensor:
    """1 always (the original's DECAY = False)."""
    return tf.ones_like(tf.cast(iteration, tf.float32))


def cifar(iteration: tf.Tensor, start: int, end: int) -> tf.Tensor:
    """1 - iteration / end in the first half of the run, then one half (the original's CIFAR script, end =
    100000)."""
    it = tf.cast(iteration, tf.float32)
    return tf.where(it < end / 2, tf.maximum(0.0, 1.0 - it / end), 0.5)


def linear(iteration: tf.Tensor, start: int, end: int) -> tf.Tensor:
    """1 up to `start`, then linear to 0 at `end` (Chainer's LinearShift in the authors' code)."""
    it = tf.cast(iteration, tf.float32)
    return tf.clip_by_value((end - it) / max(end - start, 1), 0.0, 1.0)


def imagenet_original(iteration: tf.Tensor, start: int, end: int) -> tf.Tensor:
    """1 before `start`, then 1 - iteration / end: jumps to 0.111 with the original ImageNet script's 400000
    and 450000."""
    it = tf.cast(iteration, tf.float32)
    return tf.where(it < start, 1.0, tf.maximum(0.0, 1.0 - it / end))


SCHEDULES = {"constant": constant, "cifar": cifar, "linear": linear, "imagenet_original": imagenet_original}
