"""Sliced Wasserstein distance per level of the Laplacian pyramid (Karras et al., ICLR 2018, section 5)."""
from __future__ import annotations

import numpy as np
from scipy import ndimage

from tfgan_suite.random import generator

PATCH, PATCHES, DIRECTIONS, SMALLEST = 7, 128, 512, 16
_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16


def _smooth(x: np.ndarray, gain: float) -> np.ndarray:
    for axis in (1, 2):
        x = ndimage.correlate1d(x, _BINOMIAL * gain, axis=axis, mode="mirror")
    return x


def _down(x: np.ndarray) -> np.ndarray:
    return _smooth(x, 1.0)[:, ::2, ::2]


def _up(x: np.ndarray) -> np.ndarray:
    wide = np.zeros((x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]), np.float32)
    wide[:, ::2, ::2] = x
    return _smooth(wide, 2.0)


def laplacian_pyramid(x: np.ndarray, smallest: int = SMALLEST) -> dict[int, np.ndarray]:
    """Resolution -> band [n, s, s, c]: what the next smaller level lacks; the smallest level is the low-pass image itself.

    Args:
        x: [n, s, s, c], s a power of two.
    """
    bands, x = {}, np.asarray(x, np.float32)
    while x.shape[1] > smallest:
        small = _down(x)
        bands[x.shape[1]] = x - _up(small)
        x = small
    return {**bands, x.shape[1]: x}


def patches(band: np.ndarray, seed: int, count: int = PATCHES) -> np.ndarray:
    """`count` random 7x7 patches of each image, [n * count, 7 * 7 * c], each channel with mean 0 and deviation 1."""
    n, side, _, c = band.shape
    size = min(PATCH, side)
    y, x = generator(seed, "patches", side).integers(0, side - size + 1, (2, n, count))
    windows = np.lib.stride_tricks.sliding_window_view(band, (size, size), (1, 2))
    found = windows[np.arange(n)[:, None], y, x].reshape(n * count, c, size * size)
    found = found - found.mean((0, 2), keepdims=True)
    return (found / (found.std((0, 2), keepdims=True) + 1e-8)).reshape(n * count, -1)


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, seed: int, directions: int = DIRECTIONS) -> float:
    """Mean over random directions of the mean distance between the sorted projections of two point sets [m, d]."""
    w = generator(seed, "directions", a.shape[1]).standard_normal((a.shape[1], directions)).astype(np.float32)
    w /= np.linalg.norm(w, axis=0)
    parts = np.split(w, range(64, directions, 64), axis=1)
    return float(np.mean([np.abs(np.sort(a @ part, 0) - np.sort(b @ part, 0)).mean() for part in parts]))


def by_level(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> dict[str, float]:
    """`swd/RES` for each level from the images' resolution down to 16, times 1000 as in the paper, and their mean `swd/mean`.

    Args:
        real, fake: the same number of images, [n, s, s, c], of one range.
    """
    bands = zip(laplacian_pyramid(real).items(), laplacian_pyramid(fake).values())
    found = {f"swd/{side}": 1000 * sliced_wasserstein(patches(x, seed), patches(y, seed), seed) for (side, x), y in bands}
    return {**found, "swd/mean": float(np.mean(list(found.values())))}
