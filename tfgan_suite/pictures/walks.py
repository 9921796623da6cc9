"""Walks between two latents, and through classes."""
from __future__ import annotations

import numpy as np

from tfgan_suite.errors import UserError


def linear(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """n points from a to b, float32 [n, ...]: b*s + a*(1-s), s = linspace(0, 1, n), as in ayanc/rpgan's interp.py."""
    s = np.float32(np.linspace(0.0, 1.0, n)).reshape(-1, *[1] * a.ndim)
    return b[None] * s + a[None] * (np.float32(1.0) - s)


def through(points: np.ndarray, n: int) -> np.ndarray:
    """n points, evenly along the straight lines from each of `points` [k, ...] (k at least 2) to the next, float32 [n, ...]."""
    places = np.linspace(0.0, len(points) - 1.0, n)
    first = np.minimum(places.astype(int), len(points) - 2)
    s = np.float32(places - first).reshape(-1, *[1] * (points.ndim - 1))
    return points[first + 1] * s + points[first] * (np.float32(1.0) - s)


def class_list(text: str | None, classes: int, name: str, option: str = "labels", least: int = 2) -> tuple[int, ...] | None:
    """The classes 'A,B,...' of an option.

    Raises:
        UserError: not so many numbers, or not classes of this experiment.
    """
    if text is None:
        return None
    words = text.split(",")
    if len(words) < least or not all(w.isdigit() for w in words):
        raise UserError(f"--{option}={text}: give {'two or more ' if least > 1 else ''}classes A,B,...")
    if not classes:
        raise UserError(f"--{option}={text}: {name} is not conditional; leave --{option} out")
    if max(map(int, words)) >= classes:
        raise UserError(f"--{option}={text}: {name} has classes 0 to {classes - 1}")
    return tuple(map(int, words))


def strips(system, pairs, seed: int, n: int, ends: tuple[int, ...] | None = None) -> np.ndarray:
    """Rows of n images for every pair of image numbers (from 1) of the sample sheet of that seed.

    Args:
        ends: classes from the left to the right end (two or more), for a system whose `generate` takes weights of classes
            [n, classes].

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
