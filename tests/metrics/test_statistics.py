"""Streamed statistics against plain NumPy over everything at once."""
import numpy as np
import pytest

from tfgan_suite.errors import UserError
from tfgan_suite.metrics.features import FeatureFile
from tfgan_suite.metrics.statistics import Moments, SplitScores


def naive_score(logits, splits):
    p = np.exp(logits.astype(np.float64))
    p /= p.sum(axis=1, keepdims=True)
    scores = []
    for i in range(splits):
        part = p[i * len(p) // splits:(i + 1) * len(p) // splits]
        scores.append(np.exp(np.mean(np.sum(part * (np.log(part) - np.log(part.mean(axis=0))), axis=1))))
    return np.mean(scores), np.std(scores)


@pytest.mark.parametrize("n, splits", [(100, 10), (101, 10), (99, 7), (10, 10), (50, 1)])
@pytest.mark.parametrize("batch", [1, 7, 32, 1000])
def test_split_scores_equal_the_definition_for_any_batch(n, splits, batch):
    logits = np.random.default_rng(n).normal(0, 3, [n, 12]).astype(np.float32)
    scores = SplitScores(n, splits)
    for i in range(0, n, batch):
        scores.add_logits(logits[i:i + batch])
    np.testing.assert_allclose(scores.result(), naive_score(logits, splits), rtol=1e-10, atol=1e-12)


def test_scores_survive_zero_probabilities_and_huge_logits():
    scores = SplitScores(20, 2)
    scores.add_logits(np.where(np.eye(10)[np.arange(20) % 10] > 0, 5000.0, -5000.0).astype(np.float32))
    np.testing.assert_allclose(scores.result(), (10, 0), atol=1e-9)


@pytest.mark.parametrize("n, splits", [(3, 10), (0, 1), (5, 0)])
def test_fewer_samples_than_splits_is_one_line(n, splits):
    with pytest.raises(UserError, match="splits"):
        SplitScores(n, splits)


def test_a_stream_of_another_length_is_an_error():
    scores = SplitScores(4, 2)
    scores.add_logits(np.zeros([3, 5]))
    with pytest.raises(ValueError, match="3 samples"):
        scores.result()
    with pytest.raises(ValueError, match="5 samples"):
        scores.add_logits(np.zeros([2, 5]))


@pytest.mark.parametrize("batch", [1, 9, 64, 500])
def test_moments_equal_numpy(batch):
    # a large mean, to lose digits if badly summed
    x = np.random.default_rng(1).normal(1e3, 2.0, [500, 6]).astype(np.float32)
    moments = Moments()
    for i in range(0, len(x), batch):
        moments.add(x[i:i + batch])
    np.testing.assert_allclose(moments.mean, x.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(x.astype(np.float64), rowvar=False), rtol=1e-8)


def test_one_sample_has_no_covariance():
    moments = Moments()
    moments.add(np.zeros([1, 3]))
    with pytest.raises(UserError, match="at least 2"):
        moments.covariance  # noqa: B018 (the property raises)


def test_feature_file_gives_back_what_it_was_given():
    x = np.random.default_rng(2).normal(size=[37, 5]).astype(np.float32)
    file = FeatureFile()
    for i in range(0, 37, 8):
        file.add(x[i:i + 8])
    assert file.n == 37
    np.testing.assert_array_equal(file.read(5, 21), x[5:21])
    np.testing.assert_array_equal(file.read(0, 37), x)
