"""Precision, recall, density and coverage against the papers' definitions written out."""
import numpy as np
import pytest

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import neighbours
from tfgan_suite.metrics.features import FeatureFile


def stored(x):
    file = FeatureFile()
    file.add(x)
    return file


def distances(a, b):
    return np.array([[np.linalg.norm(x - y) for y in b] for x in a])


def kth(a, k):
    return np.sort(distances(a, a), axis=1)[:, k]  # the nearest is the vector itself


@pytest.fixture
def sets():
    draw = np.random.default_rng(0)
    return draw.normal(0, 1, (83, 5)).astype(np.float32), draw.normal(0.7, 0.8, (61, 5)).astype(np.float32)


@pytest.mark.parametrize("block", [7, 30, 2048])
def test_definitions(sets, block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    real, fake = sets
    between = distances(fake, real)
    precision = np.mean([any(between[j] <= kth(real, 3)) for j in range(len(fake))])
    recall = np.mean([any(between[:, i] <= kth(fake, 3)) for i in range(len(real))])
    found = neighbours.precision_recall(stored(real), stored(fake))
    np.testing.assert_allclose(found, (precision, recall), atol=1e-12)
    balls = kth(real, 5)
    density = np.sum(between <= balls) / (5 * len(fake))
    coverage = np.mean([between[:, i].min() <= balls[i] for i in range(len(real))])
    np.testing.assert_allclose(neighbours.density_coverage(stored(real), stored(fake)), (density, coverage),
                               atol=1e-12)
    assert 0.1 < precision < 1 and 0.1 < recall < 1


def test_equal_and_distant_sets(sets):
    real, _ = sets
    assert neighbours.precision_recall(stored(real), stored(real)) == (1.0, 1.0)
    assert neighbours.density_coverage(stored(real), stored(real))[1] == 1.0
    assert neighbours.precision_recall(stored(real), stored(real + 100)) == (0.0, 0.0)
    assert neighbours.density_coverage(stored(real), stored(real + 100)) == (0.0, 0.0)
    with pytest.raises(UserError, match="3 images are too few: each needs 3 neighbours"):
        neighbours.precision_recall(stored(real[:3]), stored(real))


def test_the_documented_value_of_one_distribution():
    """Of two draws of one distribution, Naeem et al. say: density is 1 on average, coverage 1 - (n-1)...(n-k)
    / ((n+m-1)...(n+m-k)), about 1 - 2^-k."""
    draw = np.random.default_rng(1)
    found = [neighbours.density_coverage(stored(draw.normal(0, 1, (400, 8)).astype(np.float32)),
                                         stored(draw.normal(0, 1, (400, 8)).astype(np.float32)))
             for _ in range(4)]
    density, coverage = np.mean(found, axis=0)
    assert abs(density - 1) < 0.06 and abs(coverage - (1 - 0.5**5)) < 0.02


@pytest.mark.parametrize("sizes, place, k, numbers", [
    ((200, 150, 16), (0.2, 0.9), 3, (0.8733333333, 0.53, 1.3133333333, 0.735)),
    ((200, 150, 16), (0.2, 0.9), 5, (0.9466666667, 0.655, 1.3866666667, 0.9)),
    ((120, 180, 4), (0.8, 0.6), 3, (0.9055555556, 0.4916666667, 0.7962962963, 0.425)),
    ((120, 180, 4), (0.8, 0.6), 5, (0.9833333333, 0.575, 0.7288888889, 0.5666666667))])
def test_the_public_implementation_gives_the_same(sizes, place, k, numbers):
    """What `compute_prdc` of the authors' package prdc 0.2 (Naeem et al.) gave for these vectors: precision,
    recall, density, coverage."""
    draw = np.random.default_rng(0 if sizes[2] == 16 else 1)
    real = stored(draw.normal(0, 1, (sizes[0], sizes[2])).astype(np.float32))
    fake = stored(draw.normal(*place, (sizes[1], sizes[2])).astype(np.float32))
    found = (*neighbours.precision_recall(real, fake, k), *neighbours.density_coverage(real, fake, k))
    np.testing.assert_allclose(found, numbers, atol=1e-9)
