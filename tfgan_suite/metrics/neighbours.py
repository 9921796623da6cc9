"""Precision and recall, density and coverage: how well two sets of features cover each other, by nearest
neighbours.

T. Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019
(equation 2, k = 3); M. F. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML
2020 (section 3, k = 5).
"""
from __future__ import annotations

import numpy as np

from tfgan_suite.errors import UserError

BLOCK = 2048  # rows of a block of distances


def _blocks(features):
    for start in range(0, features.n, BLOCK):
        yield start, features.read(start, min(start + BLOCK, features.n)).astype(np.float64)


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances [len(a), len(b)]."""
    found = np.sum(a * a, 1)[:, None] + np.sum(b * b, 1) - 2.0 * (a @ b.T)
    return np.maximum(found, 0.0)


def radii(features, k: int) -> np.ndarray:
    """float64 [n]: squared distance of each vector to its k-th nearest other one; memory holds blocks only.

    Args:
        features: a `FeatureFile`.

    Raises:
        UserError: not more than k vectors.
    """
    if features.n <= k:
        raise UserError(f"{features.n} images are too few: each needs {k} neighbours")
    result = np.empty(features.n)
    for row, a in _blocks(features):
        nearest = np.full((len(a), k), np.inf)
        for column, b in _blocks(features):
            squares = _squares(a, b)
            if row == column:
                np.fill_diagonal(squares, np.inf)
            both = np.concatenate([nearest, squares], 1)
            nearest = np.partition(both, k - 1, axis=1)[:, :k]
        result[row:row + len(a)] = nearest.max(axis=1)
    return result


def _within(features, centres, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(for each vector of `features`: in how many balls round `centres` it is; for each centre: whether any
    vector is)."""
    counts, met = np.zeros(features.n, np.int64), np.zeros(centres.n, bool)
    for row, a in _blocks(features):
        for column, b in _blocks(centres):
            inside = _squares(a, b) <= limits[column:column + len(b)]
            counts[row:row + len(a)] += inside.sum(axis=1)
            met[column:column + len(b)] |= inside.any(axis=0)
    return counts, met


def precision_recall(real, fake, k: int = 3) -> tuple[float, float]:
    """(share of generated images within the ball of any real one, to its k-th neighbour; the same with the
    roles changed)."""
    precision = np.mean(_within(fake, real, radii(real, k))[0] > 0)
    recall = np.mean(_within(real, fake, radii(fake, k))[0] > 0)
    return float(precision), float(recall)


def density_coverage(real, fake, k: int = 5) -> tuple[float, float]:
    """(real balls that a generated image is in, divided by k, on average; share of real balls that hold a
    generated image)."""
    counts, met = _within(fake, real, radii(real, k))
    return float(np.mean(counts) / k), float(np.mean(met))
