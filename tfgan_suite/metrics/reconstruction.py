"""How near a generator comes to images that it has not seen: codes are searched by gradient, the distance is reported.

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


def decoder(system) -> tuple[Callable, int]:
    """How to search codes of a system: (codes -> images in [0, 1], size of a code).

    Raises:
        UserError: a conditional generator.
    """
    if system.classes:
        raise UserError(f"--metrics=reconstruction: {system.params.name} needs labels beside the code; only generators of a "
                        f"code alone can be searched")
    return system.decode, system.latents(1, 0).reshape(1, -1).shape[1]


@metric("reconstruction", "system", "reals")
def reconstruction(evaluation: Evaluation) -> dict:
    """`reconstruction`: mean square distance of (at most 200 of --n) real images to the nearest images of the generator.

    The images are those that the system trains on, so that the number compares systems, not over-fitting. A system with
    test images of its own replaces this metric (`System.metrics`).
    """
    system = evaluation.system
    if system is None:
        raise UserError("--metrics=reconstruction: needs an experiment, a folder of images has no generator")
    decode, code = decoder(system)
    size = tuple(decode(tf.zeros([2, code])).shape[1:3])
    reals = evaluation.reals()
    n = min(MOST, len(evaluation.samples), len(reals))
    targets = np.concatenate([x for x, _ in samples.SourceSamples(reals, size, n=n).batches()])
    _, _, loss = Search(decode, code)(targets.astype(np.float32) / np.float32(255.0))
    return {"reconstruction": loss}
