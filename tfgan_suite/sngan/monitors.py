"""What is watched during training: singular values, curves, the inception score."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.files import archive, jsonl
from tfgan_suite.layers.spectral_norm import normalised_singular_value
from tfgan_suite.random import Draws, generator

CURVES = ("d_cost", "g_cost", "dev_cost", "inception_50k", "inception_50k_std", "disc_wgan", "acgan", "acc_real", "acc_fake")


def singular_values(network) -> dict[str, float]:
    """The true largest singular value of every normalised weight of `network`: near 1 where the power iteration keeps up.

    Args:
        network: has `spectral_weights()`: (name, matrix [rows, columns], u [1, columns]) of each.
    """
    return {f"singular/{name}": normalised_singular_value(matrix, u) for name, matrix, u in network.spectral_weights()}


def read_metrics(path) -> dict[str, dict[int, float]]:
    """Name -> iteration -> value of a `metrics.jsonl`; a line cut short by a crash is skipped."""
    series: dict[str, dict[int, float]] = {}
    for iteration, entry in jsonl.read(path, strict=False) if Path(path).is_file() else ():
        for name, value in entry.items():
            series.setdefault(name, {})[iteration] = value
    return series


def draw_curves(log_dir, names=CURVES) -> dict:
    """The original's curves as `<name>.png` in the log folder, from the whole `metrics.jsonl`; returns no scalars."""
    from matplotlib.figure import Figure  # half a second to import, and only drawing needs it

    series = read_metrics(Path(log_dir) / "metrics.jsonl")
    for name in names:
        if name not in series:
            continue
        figure = Figure(figsize=(6.4, 4.8))
        axes = figure.add_subplot(xlabel="iteration", ylabel=name)
        points = sorted(series[name].items())
        axes.plot([x for x, _ in points], [y for _, y in points])
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        archive.write_bytes(Path(log_dir) / f"{name}.png", buffer.getvalue())
    return {}


class DevCost:
    """The discriminator's cost on CIFAR-10's test images: one pass in full batches, with fresh fakes. Nothing is updated.

    The original's pass advances u 156 times; here u stays.

    Args:
        system: an `SNGAN` in training.
    """

    def __init__(self, system):
        self.system, self._source, self._cost = system, None, None

    def __call__(self, done: int, host) -> dict[str, float]:
        system = self.system
        if self._source is None:
            self._source, self._cost = system.source("test"), tf.function(self._batch_cost)
        order = generator(system.params.seed, "dev order", done).permutation(len(self._source))
        size, costs = system.batch_size, []
        for first in range(0, len(order) - size + 1, size):
            rows = order[first:first + size]
            labels = self._source.labels[rows].astype(np.int32) if system.label_count else np.zeros(size, np.int32)
            step = tf.constant((done << 20) + first, tf.int64)
            costs.append(float(self._cost(tf.constant(self._source.images(rows)), tf.constant(labels), step)))
        return {"dev_cost": float(np.mean(costs))} if costs else {}

    def _batch_cost(self, images, labels, step):
        draw, system = Draws(self.system.params.seed, step), self.system
        noise = draw.uniform("dev/noise", images.shape, 0.0, 1.0 / 128.0)
        fake = system.forward(draw.normal("dev/z", (images.shape[0], system.dim_z)), labels)
        return system.critic_cost(system.dequantise(images, noise), fake, labels, update=False)[0]
