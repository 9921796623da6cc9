"""`ms_ssim`: equal pairs, unlike pairs, sizes."""
import numpy as np
import pytest
from toys import evaluation

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import diversity


def noise(side, n=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def test_equal_images_have_one_and_noise_almost_nothing():
    """And an image with some noise is between; the order of a pair does not matter."""
    a, b = noise(32), noise(32, seed=1)
    np.testing.assert_allclose(diversity.similarity(a, a), 1.0, atol=1e-5)
    assert diversity.similarity(a, b).max() < 0.2
    slope = np.broadcast_to(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None, None], (4, 32, 32, 3))
    rough = np.clip(slope.astype(int) + np.random.default_rng(2).integers(-20, 21, slope.shape), 0, 255)
    between = diversity.similarity(slope, rough.astype(np.uint8))
    assert between.min() > 0.3 and between.max() < 0.99
    np.testing.assert_allclose(between, diversity.similarity(rough.astype(np.uint8), slope), atol=1e-5)


def test_as_many_scales_as_there_is_room_for():
    sides = (11, 21, 22, 44, 128, 175, 176, 1024)
    assert [diversity.scales_of(side) for side in sides] == [1, 1, 2, 3, 4, 4, 5, 5]
    with pytest.raises(UserError, match="images of 8 pixels are too small"):
        diversity.scales_of(8)


def test_each_sample_is_in_one_pair():
    """Halves of a batch against each other; what is left over is in none."""
    a = noise(32, 4)
    judged = evaluation(np.concatenate([a, a, a[:1]]), batch=9)
    assert diversity.ms_ssim(judged)["ms_ssim"] == pytest.approx(1.0, abs=1e-5)
    assert (judged.protocol["ms_ssim_pairs"], judged.protocol["ms_ssim_scales"]) == (4, 2)
    with pytest.raises(UserError, match="at least 2"):
        diversity.ms_ssim(evaluation(a, batch=1))
