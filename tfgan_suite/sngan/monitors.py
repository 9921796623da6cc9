"""What is watched during training: singular values and the cost on test images."""
from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.files.series import SeriesFile
from tfgan_suite.layers.weights import normalised_singular_value
from tfgan_suite.random import Draws, generator


def singular_values(network) -> dict[str, float]:
    """The true largest singular value of every normalised weight of `network`: near 1 where the power
    iteration keeps up.

    Args:
        network: has `spectral_weights()`: (name, matrix [rows, columns], u [1, columns]) of each.
    """
    return {f"singular/{name}": normalised_singular_value(matrix, u) for name, matrix,
            u in network.spectral_weights()}


class Costs:
    """The costs of every iteration, which the original's curves are made of; kept in `costs.csv` in the log
    folder."""

    NAMES = ("d_cost", "g_cost", "acgan", "acc_real", "acc_fake")

    def __init__(self):
        self._new: list[tuple[int, str, float]] = []
        self._file: SeriesFile | None = None

    def observe(self, step: int, scalars: dict) -> None:
        """See `System.observe`."""
        self._new += [(step + 1, name, float(scalars[name])) for name in self.NAMES if name in scalars]

    def flush(self, log_dir) -> dict[str, dict[int, float]]:
        """Writes what has come since the last time; returns name -> iterations done -> value of the whole
        run."""
        if self._file is None:
            if not self._new:
                return {}
            self._file = SeriesFile(Path(log_dir) / "costs.csv", self._new[0][0])
        rows, self._new = self._new, []
        self._file.add(rows)
        return self._file.series


class DevCost:
    """The discriminator's cost on CIFAR-10's test images: one pass in full batches, with fresh fakes. Nothing
    is updated.

    The fakes are made as in training, in two halves with batch statistics of their own.

    The original's pass advances u 156 times; here u stays.

    Args:
        system: an `SNGAN` in training.
    """

    def __init__(self, system):
        self.system = system

    @cached_property
    def _source(self):
        return self.system.source("test")

    @cached_property
    def _cost(self):
        return tf.function(self.batch_cost, autograph=False)

    def __call__(self, done: int, host) -> dict[str, float]:
        system = self.system
        order = generator(system.params.seed, "dev order", done).permutation(len(self._source))
        size, costs = system.batch_size, []
        for first in range(0, len(order) - size + 1, size):
            rows = order[first:first + size]
            labels = (
                self._source.labels[rows].astype(np.int32) if system.label_count else np.zeros(size, np.int32)
            )
            step = tf.constant((done << 20) + first, tf.int64)
            costs.append(float(self._cost(tf.constant(self._source.images(rows)), tf.constant(labels), step)))
        return {"dev_cost": float(np.mean(costs))} if costs else {}

    def batch_cost(self, images: tf.Tensor, labels: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """D's cost on uint8 images [n, size, size, 3] with labels [n]; noise and fakes are a function of the
        seed and `step`."""
        draw, system = Draws(self.system.params.seed, step), self.system
        noise = draw.uniform("dev/noise", images.shape, 0.0, 1.0 / 128.0)
        fake = system.fakes(draw.normal("dev/z", (images.shape[0], system.dim_z)), labels, update=False)
        return system.critic_cost(system.dequantise(images, noise), fake, labels, update=False)[0]
