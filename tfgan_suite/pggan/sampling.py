"""Pictures from a generator's weights alone: opening them, drawing at any level."""
from __future__ import annotations

from typing import Any

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files.archive import Archive
from tfgan_suite.pggan import snapshots
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.random import generator


def open_generator(path):
    """The generator of a .pth.tar snapshot or of an `iter_N.gmodel.npz`; sizes come from the file.

    Raises:
        UserError: missing, unreadable, or no generator of PGGAN.
    """
    from tfgan_suite.pggan import networks, paper  # keeps --help free of TensorFlow

    arrays = Archive(path) if str(path).endswith(".npz") else snapshots.read(path)["gen"]
    network: Any
    if "4x4/Conv0/weight" in arrays:
        with reading(path, "is not a whole generator of the paper's networks"):
            network = paper.Generator(paper.sizes_of(arrays))
        network.assign(arrays)
        return network
    network = networks.Generator(snapshots.sizes_of(arrays, path))
    snapshots.assign(network, {name: arrays[name] for name in arrays if name != "progress"}, path)
    if "progress" in arrays:
        network.progress.assign(arrays["progress"])
    return network


def latents(n: int, size: int, seed: int) -> np.ndarray:
    """The first n latents of a seed, float32 [n, size]."""
    return generator(seed, "latents").standard_normal((n, size)).astype(np.float32)


def draw(network, z: np.ndarray, level: int | None = None, alpha: float | None = None,
         labels: np.ndarray | None = None) -> np.ndarray:
    """Images [n, s, s, c] of latents [n, latent] (and labels int [n]), at the level and weight that the
    generator has grown to."""
    import tensorflow as tf

    grown, weight = network.progress.numpy()
    level = int(grown) if level is None else level
    alpha = (float(weight) if level == int(grown) else 1.0) if alpha is None else alpha
    images = network.at(level, None if alpha >= 1.0 or level == 0 else tf.constant(alpha, tf.float64))
    rows = max(1, (1 << 18) // (4 << level) ** 2)  # so that a layer's activations stay below about a gigabyte

    def some(i):
        chosen = None if labels is None else tf.constant(labels[i:i + rows])
        return images(tf.constant(z[i:i + rows], tf.float32), chosen).numpy()

    return np.concatenate([some(i) for i in range(0, len(z), rows)])


def to_bytes(x: np.ndarray, legacy: bool = False) -> np.ndarray:
    """[-1, 1] -> uint8; `legacy`: as in the original's pictures."""
    return bytes.unshifted(x) if legacy else bytes.to_uint8(x)


def through_levels(network, z: np.ndarray, steps: int = 8, legacy: bool = False, labels=None,
                   most: int = 256) -> np.ndarray:
    """One latent [1, latent] at every level and fade weight that the generator has, uint8 [frames, s, s, 3]
    of one size, at most `most` wide."""
    last = int(network.progress.numpy()[0])
    moments = [(0, 1.0), *((level, (i + 1) / steps) for level in range(1, last + 1) for i in range(steps))]
    frames = []
    for level, alpha in moments:
        frames.append(resized(sheets.grid(to_bytes(draw(network, z, level, alpha, labels), legacy), 1, 1),
                              min(4 << last, most)))
    return np.stack(frames)


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """A square picture at another side, both powers of two: pixels repeated, or their means."""
    if len(picture) > side:
        return sheets.shrunk(picture, len(picture) // side)
    times = side // len(picture)
    return picture.repeat(times, 0).repeat(times, 1)


def level_for(network, resolution: int | None) -> int | None:
    """The level of a resolution; None: as far as the generator has grown.

    Raises:
        UserError: it has no such level.
    """
    sizes = [4 << level for level in range(network.sizes.levels)]
    if resolution is None:
        return None
    if resolution not in sizes:
        raise UserError(f"--resolution={resolution}: these weights have {', '.join(map(str, sizes))}")
    return sizes.index(resolution)
