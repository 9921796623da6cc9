"""Walks between two latents, and through classes."""
from __future__ import annotations

import math

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole
from tfgan_suite.random import generator


def linear(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """n points from a to b, float32 [n, ...]: b*s + a*(1-s), s = linspace(0, 1, n), as in ayanc/rpgan's
    interp.py."""
    s = np.float32(np.linspace(0.0, 1.0, n)).reshape(-1, *[1] * a.ndim)
    return b[None] * s + a[None] * (np.float32(1.0) - s)


def through(points: np.ndarray, n: int) -> np.ndarray:
    """n points, evenly along the straight lines from each of `points` [k, ...] (k at least 2) to the next,
    float32 [n, ...]."""
    places = np.linspace(0.0, len(points) - 1.0, n)
    first = np.minimum(places.astype(int), len(points) - 2)
    s = np.float32(places - first).reshape(-1, *[1] * (points.ndim - 1))
    return points[first + 1] * s + points[first] * (np.float32(1.0) - s)


def class_list(text: str | None, classes: int, name: str, option: str = "labels",
               least: int = 2) -> tuple[int, ...] | None:
    """The classes 'A,B,...' of an option.

    Raises:
        UserError: not so many numbers, or not classes of this experiment.
    """
    if text is None:
        return None
    words = text.split(",")
    numbers = [number for number in map(whole, words) if number is not None]
    if len(words) < least or len(numbers) != len(words):
        raise UserError(f"--{option}={text}: give {'two or more ' if least > 1 else ''}classes A,B,...")
    if not classes:
        raise UserError(f"--{option}={text}: {name} is not conditional; leave --{option} out")
    if max(numbers) >= classes:
        raise UserError(f"--{option}={text}: {name} has classes 0 to {classes - 1}")
    return tuple(numbers)


def strips(system, pairs, seed: int, n: int, ends: tuple[int, ...] | None = None) -> np.ndarray:
    """Rows of n images for every pair of image numbers (from 1) of the sample sheet of that seed.

    Args:
        ends: classes from the left to the right end (two or more), for a system whose `generate` takes
            weights of classes [n, classes].

    Returns:
        uint8 [len(pairs), n, H, W, C].
    """
    count = system.grid[0] * system.grid[1]
    table, labels = system.latents(count, seed), system.labels(count, seed)
    walks = np.concatenate([linear(table[left - 1], table[right - 1], n) for left, right in pairs])
    if labels is not None:
        eye = np.eye(system.classes, dtype=np.float32)
        chosen = [ends or (labels[left - 1], labels[right - 1]) for left, right in pairs]
        labels = np.concatenate([through(eye[list(path)], n) for path in chosen])
    pictures = system.to_uint8(system.generate(walks, labels))
    return pictures.reshape(len(pairs), n, *pictures.shape[1:])


def even_steps(a: np.ndarray, b: np.ndarray, steps: int = 8) -> np.ndarray:
    """Codes of an interpolation, float32 [steps + 2, code]: a, then a + j (b - a) / steps for j = 0 ... steps
    - 1, then b.

    The first code comes twice, as in aleju/gan-error-avoidance (sample_images.py).
    """
    part = np.arange(steps, dtype=np.float32)[:, None] / np.float32(steps)
    return np.concatenate([a[None], a + part * (b - a), b[None]]).astype(np.float32)


def neighbours(code: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The code itself, then the code plus the noise rows from the second on, float32 [n, code].

    aleju/gan-error-avoidance puts the code into the first noise row, so that its first picture shows twice
    the code.
    """
    return np.concatenate([code[None], code + noise[1:]]).astype(np.float32)


# -- latents of alenmora/ppgan's generator.py ----------------------------------------------------------------
def cut(z: np.ndarray, psi: float, how: str = "wrap", seed: int = 0) -> np.ndarray:
    """Keeps latents within |psi|.

    Args:
        how: 'wrap': the remainder of the division by psi with the sign of z (the original: 1.6 becomes 0.1
            for 1.5; 0 gives zeros); 'clip'; 'resample': drawn anew until within.
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


def line(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """n + 1 latents from `start` to `end` in equal steps, [n + 1, latent]."""
    share = np.arange(n + 1, dtype=np.float64)[:, None] / n
    return ((1 - share).astype(np.float32) * start + share.astype(np.float32) * end).astype(np.float32)


def slerp(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """n latents from `start` towards `end` (excluded) along the great circle, [n, latent]; the length changes
    linearly."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    angle = math.acos(float(np.clip(np.dot(a, b), -1, 1)))
    share = np.arange(n)[:, None] / n
    if math.sin(angle) < 1e-6:
        return ((1 - share) * start + share * end).astype(np.float32)
    direction = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / math.sin(angle)
    length = (1 - share) * np.linalg.norm(start) + share * np.linalg.norm(end)
    return (direction * length).astype(np.float32)


def there_and_back(frames: np.ndarray) -> np.ndarray:
    """frames, then all but the last and the first in reverse: an animation without a jump."""
    return np.concatenate([frames, frames[1:-1][::-1]])


def loop(keys: np.ndarray, n: int) -> np.ndarray:
    """A closed walk by `slerp` through all key latents [k, latent], n steps between two: [k * n, latent]."""
    return np.concatenate([slerp(a, b, n) for a, b in zip(keys, np.roll(keys, -1, 0))])
