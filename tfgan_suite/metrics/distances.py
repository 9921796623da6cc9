"""Distances between samples in NumPy and SciPy alone: Frechet's always, the others where tensorflow-gan is
not installed; tests hold the two together."""
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


def frechet(a, b) -> float:
    """|m - m_w|^2 + Tr(C + C_w - 2 (C C_w)^(1/2)) in float64, C being the unbiased covariance (Heusel et al.
    2017).

    The root is not tensorflow-gan's, which cuts off singular values below 1e-10 whatever the others are:
    nothing is added to or cut off from the covariances, so that the distance scales with the features,
    however small they are.

    Args:
        a, b: anything with `mean` [d] and `covariance` [d, d].
    """
    root = trace_of_root(a.covariance, b.covariance)
    distance = ((a.mean - b.mean) ** 2).sum() + a.covariance.trace() + b.covariance.trace() - 2.0 * root
    return float(max(distance, 0.0))  # rounding may leave -1e-12 where the distributions are equal


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
# The pyramid is Burt and Adelson's (1983): REDUCE blurs and keeps every other pixel, EXPAND puts zeros
# between the pixels and blurs with four times the filter. Karras et al. normalise each colour channel over
# all patches of a level; tensorflow-gan, whose numbers these are, normalises each patch over its own
# numbers: of the two, and of each patch's channels, only this gives its results
# (`test_both_ways_give_the_librarys_recorded_numbers`).
def _blur(images: np.ndarray) -> np.ndarray:
    """[n, H, W, C] with the binomial filter along both sides, mirrored at the border."""
    for side in (1, 2):
        images = scipy.ndimage.correlate1d(images, BINOMIAL, axis=side, mode="mirror")
    return images


def _expand(images: np.ndarray, shape: tuple) -> np.ndarray:
    """[n, H/2, W/2, C] -> `shape` [n, H, W, C]."""
    wide = np.zeros(shape, images.dtype)
    wide[:, ::2, ::2] = images
    return 4 * _blur(wide)


def laplacian_pyramid(images: np.ndarray, levels: int) -> list[np.ndarray]:
    """Float images [n, H, W, C] -> `levels` arrays, the finest first: what each level has beyond the next
    one, and the last one itself. Expanded and added they give the images again."""
    result = []
    for _ in range(levels - 1):
        half = _blur(images)[:, ::2, ::2]
        result.append(images - _expand(half, images.shape))
        images = half
    return [*result, images]


def _descriptors(level: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """`PATCHES` square patches from anywhere in each image, each with mean 0 and deviation 1: [n * PATCHES,
    PATCH * PATCH * C]."""
    n, height, width, _ = level.shape
    tops, lefts = (generator.integers(0, side - PATCH + 1, n * PATCHES) for side in (height, width))
    everywhere = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(1, 2))
    found = everywhere[np.repeat(np.arange(n), PATCHES), tops, lefts].reshape(n * PATCHES, -1)
    return (found - found.mean(axis=1, keepdims=True)) / found.std(axis=1, keepdims=True)


def _sliced_distance(a: np.ndarray, b: np.ndarray, generator: np.random.Generator) -> float:
    """The mean distance of two sets [n, d] of equal size along d random directions. On a line, the
    earthmover's distance pairs the points in their order (Rabin et al. 2011)."""
    directions = generator.normal(size=(a.shape[1], a.shape[1])).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    gaps = np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0)
    return float(np.mean(np.abs(gaps)))


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """(distance of real from other patches of real, distance of real from fake) per level, the finest first,
    as tensorflow-gan gives them with its defaults; it draws other patches and directions.

    Args:
        real, fake: float32 [n, S, S, 3], S a power of two times the side of the coarsest level.
        seed: of patches and directions.
    """
    generator = np.random.default_rng(seed)
    levels = max(int(np.log2(real.shape[1])) - int(np.log2(min(COARSEST, real.shape[1]))), 0) + 1
    result = []
    for real_level, fake_level in zip(*(laplacian_pyramid(x, levels) for x in (real, fake))):
        first, second = (_descriptors(real_level, generator) for _ in range(2))
        other = _descriptors(fake_level, generator)
        result.append((_sliced_distance(first, second, generator), _sliced_distance(first, other, generator)))
    return result
