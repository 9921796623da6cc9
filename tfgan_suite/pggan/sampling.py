"""Pictures from a generator's weights alone: opening them, drawing at any level."""
from __future__ import annotations

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.pggan import snapshots
from tfgan_suite.pictures import bytes, sheets


def open_generator(path):
    """The generator of a .pth.tar snapshot or of an `iter_N.gmodel.npz`; sizes come from the file.

    Raises:
        UserError: missing, unreadable, or no generator of PGGAN.
    """
    from tfgan_suite.pggan.networks import Generator  # keeps --help free of TensorFlow

    arrays = Archive(path) if str(path).endswith(".npz") else snapshots.read(path)["gen"]
    network = Generator(snapshots.sizes_of(arrays, path))
    own = {name: arrays[name] for name in arrays if name != "progress"}
    snapshots.assign(network, own, path)
    if "progress" in arrays:
        network.progress.assign(arrays["progress"])
    return network


def draw(network, z: np.ndarray, level: int | None = None, alpha: float | None = None) -> np.ndarray:
    """Images [n, s, s, c] of latents [n, latent], at the level and weight that the generator has grown to."""
    import tensorflow as tf

    grown, weight = network.progress.numpy()
    level = int(grown) if level is None else level
    alpha = (float(weight) if level == int(grown) else 1.0) if alpha is None else alpha
    images = network.at(level, None if alpha >= 1.0 or level == 0 else tf.constant(alpha, tf.float64))
    rows = max(1, (1 << 18) // (4 << level) ** 2)  # so that a layer's activations stay below about a gigabyte
    return np.concatenate([images(tf.constant(z[i:i + rows], tf.float32)).numpy()
                           for i in range(0, len(z), rows)])


def to_bytes(x: np.ndarray, legacy: bool = False) -> np.ndarray:
    """[-1, 1] -> uint8; `legacy`: as in the original's pictures."""
    return bytes.unshifted(x) if legacy else bytes.to_uint8(x)


def through_levels(network, z: np.ndarray, steps: int = 8, legacy: bool = False) -> np.ndarray:
    """One latent [1, latent] at every level and fade weight that the generator has, uint8 [frames, s, s, 3]
    of one size."""
    last = int(network.progress.numpy()[0])
    moments = [(0, 1.0), *((level, (i + 1) / steps) for level in range(1, last + 1) for i in range(steps))]
    frames = []
    for level, alpha in moments:
        picture = sheets.grid(to_bytes(draw(network, z, level, alpha), legacy), 1, 1)
        times = (4 << last) // len(picture)
        frames.append(picture.repeat(times, 0).repeat(times, 1))
    return np.stack(frames)


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
