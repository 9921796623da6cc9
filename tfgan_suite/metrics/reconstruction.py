"""How near a generator comes to images that it has not seen: codes are searched by gradient, the distance is
reported.

The test of aleju/gan-error-avoidance (`g_lis/main.py`), for any generator that is differentiable.
"""
from __future__ import annotations

from typing import Callable

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import samples
from tfgan_suite.metrics.registry import Evaluation, metric

ALPHA, EPSILON = 0.9, 1e-6  # of the RMSprop that moves the codes
MOST = 200  # images of the original's running test


class Search:
    """Searches codes, all starting at zero, whose images are nearest to target images.

    Args:
        decode: codes [n, code] -> images [n, h, w, c] in [0, 1], differentiable, weights and statistics at
            rest.
        code: size of a code.
        rate, steps: of RMSprop on the codes.
        batch: targets treated at a time; the distance is a mean over them, so that it belongs to the
            definition.
    """

    def __init__(self, decode: Callable, code: int, rate: float = 0.01, steps: int = 50, batch: int = 32):
        self.decode, self.code, self.rate, self.steps, self.batch = decode, code, rate, steps, batch
        self._run = tf.function(self._search, reduce_retracing=True)

    def _search(self, targets, *given):
        code = tf.zeros([tf.shape(targets)[0], self.code])
        code = tf.ensure_shape(code, [None, self.code])
        square = tf.zeros_like(code)
        for _ in tf.range(self.steps):
            with tf.GradientTape() as tape:
                tape.watch(code)
                loss = tf.reduce_mean(tf.square(self.decode(code, *given) - targets))
            gradient = tape.gradient(loss, code)
            square = ALPHA * square + (1.0 - ALPHA) * tf.square(gradient)
            code = code - self.rate * gradient / (tf.sqrt(square) + EPSILON)
        images = self.decode(code, *given)
        return code, images, tf.reduce_mean(tf.square(images - targets))

    def __call__(self, targets: np.ndarray, report: Callable[[int, float], None] | None = None, labels=None):
        """The search for all targets.

        Args:
            targets: float32 [n, h, w, c] in [0, 1].
            report: called with (first target of a batch, its mean square distance).
            labels: float [n, classes], those of the targets, which `decode` then gets beside the codes.

        Returns:
            (codes [n, code], images [n, h, w, c], mean square distance over all targets).
        """
        codes, images, total = [], [], 0.0
        for first in range(0, len(targets), self.batch):
            part = targets[first:first + self.batch]
            given = () if labels is None else (tf.constant(labels[first:first + self.batch], tf.float32),)
            code, image, loss = self._run(tf.constant(part, tf.float32), *given)
            codes.append(code.numpy())
            images.append(image.numpy())
            total += float(loss) * len(part)
            if report:
                report(first, float(loss))
        return np.concatenate(codes), np.concatenate(images), total / len(targets)


@metric("reconstruction", "system", "reals")
def reconstruction(evaluation: Evaluation) -> dict:
    """`reconstruction`: mean square distance of (at most 200 of --n) real images to the nearest images of the
    generator.

    A conditional system gets each image's label, and only the code is searched. The images are those that the
    system trains on, so that the number compares systems, not over-fitting. A system with test images of its
    own replaces this metric (`System.metrics`).
    """
    system = evaluation.system
    if system is None:
        raise UserError("--metrics=reconstruction: needs an experiment, a folder of images has no generator")
    reals, code = evaluation.reals(), system.latents(1, 0).reshape(1, -1).shape[1]
    if system.classes and reals.labels is None:
        raise UserError(f"reconstruction: {system.params.name} needs a label beside the code, and "
                        f"{reals.name} has none")
    labels = np.eye(system.classes, dtype=np.float32)[reals.labels] if system.classes else None
    first = () if labels is None else (tf.constant(labels[[0, 0]]),)
    size = tuple(system.decode(tf.zeros([2, code]), *first).shape[1:3])
    stream = samples.SourceSamples(reals, size, n=min(MOST, len(evaluation.samples), len(reals)))
    targets = np.concatenate([x for x, _ in stream.batches()]).astype(np.float32) / np.float32(255.0)
    labels = None if labels is None else labels[stream.order]
    return {"reconstruction": Search(system.decode, code)(targets, labels=labels)[2]}
