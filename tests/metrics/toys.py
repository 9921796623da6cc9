"""A system without a network, and evaluations of arrays: what the metrics' tests judge."""
from __future__ import annotations

import numpy as np

from tfgan_suite.data.source import ArraySource
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SourceSamples
from tfgan_suite.pictures import bytes


class ToySystem:
    """Latents are uniform; an image is its latent's two numbers as a ramp. With `statistics`, the batch's
    mean is taken off."""

    classes = 0

    def __init__(self, side: int = 8, classes: int = 0, statistics: bool = False):
        self.side, self.classes, self.statistics, self.calls = side, classes, statistics, []

    def latents(self, n, seed):
        return np.random.RandomState(seed).uniform(-1, 1, [n, 2]).astype(np.float32)

    def generate(self, latents, labels=None):
        self.calls.append(len(latents))
        if self.statistics:
            latents = latents - latents.mean(axis=0)
        shift = 0.0 if labels is None else labels[:, None, None] / 20
        ramp = np.linspace(0, 1, self.side, dtype=np.float32)
        grey = np.clip(latents[:, :1, None] * ramp[:, None] + latents[:, 1:, None] * ramp + shift, -1, 1)
        return np.repeat(grey[..., None], 3, axis=-1)

    def metrics(self):
        return {}

    def to_uint8(self, x):
        return bytes.to_uint8(x)


def pictures(n: int, side: int = 16, seed: int = 0, low: int = 0, high: int = 256) -> np.ndarray:
    """Random bytes, smoothed a little so that resizing keeps something."""
    x = np.random.default_rng(seed).integers(low, high, (n, side, side, 3)).astype(np.float32)
    return ((x + np.roll(x, 1, 1) + np.roll(x, 1, 2)) / 3).astype(np.uint8)


def evaluation(array: np.ndarray, reals: np.ndarray | None = None, batch: int = 32, splits: int = 4,
               **more) -> Evaluation:
    """An evaluation of images in memory, in their own order."""
    samples = SourceSamples(ArraySource(array), batch=batch, shuffle=False)
    return Evaluation(samples, splits, reals=lambda: ArraySource(reals), **more)
