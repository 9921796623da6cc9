"""How near a generator comes to images that it has not seen: codes are searched by gradient, the distance is reported.

The test of aleju/gan-error-avoidance (section 11.1 of its spec), for any generator that is differentiable.
"""
from __future__ import annotations

from typing import Callable

import numpy as np
import tensorflow as tf

ALPHA, EPSILON = 0.9, 1e-6  # of the RMSprop that moves the codes


class Search:
    """Searches codes, all starting at zero, whose images are nearest to target images.

    Args:
        decode: codes [n, code] -> images [n, h, w, c] in [0, 1], differentiable, weights and statistics at rest.
        code: size of a code.
        rate, steps: of RMSprop on the codes.
        batch: targets treated at a time; the distance is a mean over them, so that it belongs to the definition.
    """

    def __init__(self, decode: Callable, code: int, rate: float = 0.01, steps: int = 50, batch: int = 32):
        self.decode, self.code, self.rate, self.steps, self.batch = decode, code, rate, steps, batch
        self._run = tf.function(self._search, reduce_retracing=True)

    def _search(self, targets):
        code = tf.zeros([tf.shape(targets)[0], self.code])
        code = tf.ensure_shape(code, [None, self.code])
        square = tf.zeros_like(code)
        for _ in tf.range(self.steps):
            with tf.GradientTape() as tape:
                tape.watch(code)
                loss = tf.reduce_mean(tf.square(self.decode(code) - targets))
            gradient = tape.gradient(loss, code)
            square = ALPHA * square + (1.0 - ALPHA) * tf.square(gradient)
            code = code - self.rate * gradient / (tf.sqrt(square) + EPSILON)
        images = self.decode(code)
        return code, images, tf.reduce_mean(tf.square(images - targets))

    def __call__(self, targets: np.ndarray, report: Callable[[int, float], None] | None = None):
        """The search for all targets.

        Args:
            targets: float32 [n, h, w, c] in [0, 1].
            report: called with (first target of a batch, its mean square distance).

        Returns:
            (codes [n, code], images [n, h, w, c], mean square distance over all targets).
        """
        codes, images, total = [], [], 0.0
        for first in range(0, len(targets), self.batch):
            part = targets[first:first + self.batch]
            code, image, loss = self._run(tf.constant(part, tf.float32))
            codes.append(code.numpy())
            images.append(image.numpy())
            total += float(loss) * len(part)
            if report:
                report(first, float(loss))
        return np.concatenate(codes), np.concatenate(images), total / len(targets)
