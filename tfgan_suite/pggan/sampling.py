"""Pictures from a generator's weights alone: latents, sheets, animations (spec sections 2.3 and 9)."""
from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.pggan import snapshots
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.random import generator


def open_generator(path):
    """The generator of a .pth.tar snapshot or of an `iter_N.gmodel.npz`; sizes come from the file.

    Raises:
        UserError: missing, unreadable, or no generator of PGGAN.
    """
    from tfgan_suite.pggan.networks import Generator  # keeps --help free of TensorFlow

    arrays = Archive(path) if str(path).endswith(".npz") else snapshots.read(path)["gen"]
    network = Generator(snapshots.architecture(arrays, path))
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
    fade = None if alpha >= 1.0 or level == 0 else tf.constant(alpha, tf.float64)
    rows = max(1, (1 << 18) // (4 << level) ** 2)  # so that a layer's activations stay below about a gigabyte
    parts = [network(tf.constant(z[i:i + rows], tf.float32), level, fade).numpy() for i in range(0, len(z), rows)]
    return np.concatenate(parts)


def cut(z: np.ndarray, psi: float, how: str = "wrap", seed: int = 0) -> np.ndarray:
    """Keeps latents within |psi|.

    Args:
        how: 'wrap': the remainder of the division by psi with the sign of z (the original: 1.6 becomes 0.1 for 1.5; 0 gives
            zeros); 'clip'; 'resample': drawn anew until within.
    """
    z, psi = np.asarray(z, np.float32), np.float32(abs(psi))
    if psi == 0:
        return np.zeros_like(z)
    if how == "wrap":
        return np.fmod(z, psi)
    if how == "clip":
        return np.clip(z, -psi, psi)
    draw_again, z = generator(seed, "cut"), z.copy()
    for _ in range(1000):
        outside = np.abs(z) > psi
        if not outside.any():
            break
        z[outside] = draw_again.standard_normal(int(outside.sum()))
    return np.clip(z, -psi, psi)


def images_per_row(n: int) -> int:
    """sqrt(n) for squares; else for n > 5 the largest divisor above 2 and up to sqrt(n); else 1."""
    root = math.isqrt(n)
    if root * root == n:
        return root
    fitting = [i for i in range(3, root + 1) if n % i == 0] if n > 5 else []
    return max(fitting, default=1)


def to_bytes(x: np.ndarray, legacy: bool = False) -> np.ndarray:
    """[-1, 1] -> uint8; `legacy`: without the shift to [0, 1], so that negative values are black."""
    if legacy:
        return np.clip(np.asarray(x, np.float32) * np.float32(255), 0, 255).astype(np.uint8)
    return bytes.to_uint8(x)


def sheet(x: np.ndarray, legacy: bool = False) -> np.ndarray:
    """All images on one sheet, five pixels apart, uint8 [h, w, 3]."""
    columns = images_per_row(len(x))
    return sheets.grid(to_bytes(x, legacy), -(-len(x) // columns), columns, border=5)


def line(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """n + 1 latents from `start` to `end` in equal steps, [n + 1, latent]."""
    share = np.arange(n + 1, dtype=np.float64)[:, None] / n
    return ((1 - share).astype(np.float32) * start + share.astype(np.float32) * end).astype(np.float32)


def slerp(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """n latents from `start` towards `end` (excluded) along the great circle; the length changes linearly, [n, latent]."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    angle = math.acos(float(np.clip(np.dot(a, b), -1, 1)))
    share = np.arange(n)[:, None] / n
    if math.sin(angle) < 1e-6:
        return ((1 - share) * start + share * end).astype(np.float32)
    direction = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / math.sin(angle)
    return (direction * ((1 - share) * np.linalg.norm(start) + share * np.linalg.norm(end))).astype(np.float32)


def there_and_back(frames: np.ndarray) -> np.ndarray:
    """frames, then all but the last and the first in reverse: an animation without a jump."""
    return np.concatenate([frames, frames[1:-1][::-1]])


def loop(keys: np.ndarray, n: int) -> np.ndarray:
    """A closed walk by `slerp` through all key latents [k, latent], n steps between two: [k * n, latent]."""
    return np.concatenate([slerp(a, b, n) for a, b in zip(keys, np.roll(keys, -1, 0))])


def growth(network, z: np.ndarray, steps: int = 8, legacy: bool = False) -> np.ndarray:
    """One latent [1, latent] at every level and fade weight that the generator has, uint8 [frames, s, s, 3] of one size."""
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
    sizes = [4 << level for level in range(network.shape.levels)]
    if resolution is None:
        return None
    if resolution not in sizes:
        raise UserError(f"--resolution={resolution}: these weights have {', '.join(map(str, sizes))}")
    return sizes.index(resolution)


def gif_path(path) -> Path:
    """The output's name with the ending .gif."""
    return Path(path).with_suffix(".gif")
