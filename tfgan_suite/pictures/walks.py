"""Walks between two latents (and two classes)."""
from __future__ import annotations

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole


def linear(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """n points from a to b, float32 [n, ...]: b*s + a*(1-s), s = linspace(0, 1, n), as in ayanc/rpgan's interp.py."""
    s = np.float32(np.linspace(0.0, 1.0, n)).reshape(-1, *[1] * a.ndim)
    return b[None] * s + a[None] * (np.float32(1.0) - s)


def class_pair(text: str | None, classes: int, name: str) -> tuple[int, int] | None:
    """The classes 'A,B' of the two ends.

    Raises:
        UserError: not two numbers, or not classes of this experiment.
    """
    if text is None:
        return None
    words = text.split(",")
    numbers = [whole(word) for word in words]
    if len(words) != 2 or None in numbers:
        raise UserError(f"--labels={text}: give two classes A,B")
    if not classes:
        raise UserError(f"--labels={text}: {name} is not conditional; leave --labels out")
    if max(numbers) >= classes:
        raise UserError(f"--labels={text}: {name} has classes 0 to {classes - 1}")
    return numbers[0], numbers[1]


def strips(system, pairs, seed: int, n: int, ends: tuple[int, int] | None = None) -> np.ndarray:
    """Rows of n images for every pair of image numbers (from 1) of the sample sheet of that seed.

    Args:
        ends: classes of the left and the right end, for a system whose `generate` takes weights of classes [n, classes].

    Returns:
        uint8 [len(pairs), n, H, W, C].
    """
    count = system.grid[0] * system.grid[1]
    table, labels = system.latents(count, seed), system.labels(count, seed)
    walks = np.concatenate([linear(table[left - 1], table[right - 1], n) for left, right in pairs])
    if labels is not None:
        eye = np.eye(system.classes, dtype=np.float32)
        chosen = [ends or (labels[left - 1], labels[right - 1]) for left, right in pairs]
        labels = np.concatenate([linear(eye[a], eye[b], n) for a, b in chosen])
    pictures = system.to_uint8(system.generate(walks, labels))
    return pictures.reshape(len(pairs), n, *pictures.shape[1:])


def even_steps(a: np.ndarray, b: np.ndarray, steps: int = 8) -> np.ndarray:
    """Codes of an interpolation, float32 [steps + 2, code]: a, then a + j (b - a) / steps for j = 0 ... steps - 1, then b.

    The first code comes twice, as in aleju/gan-error-avoidance (sample_images.py).
    """
    part = np.arange(steps, dtype=np.float32)[:, None] / np.float32(steps)
    return np.concatenate([a[None], a + part * (b - a), b[None]]).astype(np.float32)


def neighbours(code: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The code itself, then the code plus the noise rows from the second on, float32 [n, code].

    aleju/gan-error-avoidance puts the code into the first noise row, so that its first picture shows twice the code.
    """
    return np.concatenate([code[None], code + noise[1:]]).astype(np.float32)
