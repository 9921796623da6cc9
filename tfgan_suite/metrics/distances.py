"""Distances between samples in NumPy and SciPy alone, where tensorflow-gan is not installed; a test holds the
two together."""
from __future__ import annotations

import numpy as np
import scipy.ndimage

BINOMIAL = np.float32([1, 4, 6, 4, 1]) / 16  # the pyramid's filter, along each side
PATCH, PATCHES, COARSEST = 7, 64, 16  # side of a patch, patches an image, side of the coarsest level


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root of a symmetric positive semi-definite matrix; rounding may leave small negative
    eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def trace_of_root(a: np.ndarray, b: np.ndarray) -> float:
    """Tr (A B)^(1/2) of covariance matrices, float64: A B has the eigenvalues of A^(1/2) B A^(1/2), which is
    symmetric."""
    root = _root(a)
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0.0)).sum())


def kernel_block(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased squared MMD of [n, d] and [m, d], float64, with kernel (x.y / d + 1)^3 (Binkowski et al.
    2018)."""
    def values(a, b):
        return (a @ b.T / a.shape[1] + 1.0) ** 3

    def among(a):
        own = values(a, a)
        return (own.sum() - np.trace(own)) / (len(a) * (len(a) - 1))

    return float(among(x) + among(y) - 2.0 * values(x, y).mean())


# -- sliced Wasserstein distance (Karras et al. 2018, section 5) ---------------------------------------------
def _blurred(x: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        x = scipy.ndimage.correlate1d(x, BINOMIAL, axis, mode="mirror")
    return x


def _pyramid(x: np.ndarray, levels: int) -> list[np.ndarray]:
    """Laplacian pyramid of float32 [n, S, S, C], the finest first; the last level is what is left, blurred
    and halved."""
    found = []
    for _ in range(levels - 1):
        half = _blurred(x)[:, ::2, ::2]
        wide = np.zeros_like(x)
        wide[:, ::2, ::2] = half
        found.append(x - 4 * _blurred(wide))
        x = half
    return [*found, x]


def _patches(level: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """[n * 64, 7 * 7 * C]: patches at places drawn uniformly, each with mean 0 and deviation 1."""
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), (1, 2))
    places = max(windows.shape[1] - 1, 1)  # tensorflow-gan never draws the last one
    image = np.repeat(np.arange(len(level)), PATCHES)
    y, x = draw.integers(0, places, (2, len(image)))
    chosen = windows[image, y, x].reshape(len(image), -1).astype(np.float64)
    return (chosen - chosen.mean(1, keepdims=True)) / chosen.std(1, keepdims=True)


def _sliced(a: np.ndarray, b: np.ndarray, draw: np.random.Generator) -> float:
    """Mean distance of the sorted projections of two sets [n, d] on d random directions."""
    directions = draw.normal(size=(a.shape[1], a.shape[1]))
    directions /= np.linalg.norm(directions, axis=0)
    return float(np.abs(np.sort(a @ directions, 0) - np.sort(b @ directions, 0)).mean())


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """(distance between real and real, distance between real and fake) per level of the pyramid, the finest
    first.

    Args:
        real, fake: float32 [n, S, S, 3] each; no patch may be flat.
        seed: of patches and directions.
    """
    draw = np.random.default_rng([seed, 11])
    levels = max(int(np.log2(real.shape[1])) - int(np.log2(min(COARSEST, real.shape[1]))), 0) + 1
    result = []
    for r, f in zip(_pyramid(real, levels), _pyramid(fake, levels)):
        first, again, other = (_patches(level, draw) for level in (r, r, f))
        result.append((_sliced(first, again, draw), _sliced(first, other, draw)))
    return result
