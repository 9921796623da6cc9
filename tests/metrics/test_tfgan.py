"""The distances against plain formulas, with and without tensorflow-gan; our streamed use of it against its
own functions."""
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
from toys import pictures

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import distances, tfgan
from tfgan_suite.metrics.features import FeatureFile
from tfgan_suite.metrics.statistics import Moments

INSTALLED = pytest.mark.skipif(not tfgan.INSTALLED, reason="tensorflow-gan is not installed")


@pytest.fixture(params=[pytest.param(True, marks=INSTALLED, id="tensorflow-gan"),
                        pytest.param(False, id="numpy")], autouse=True)
def way(request, monkeypatch):
    """Each test runs with tensorflow-gan, where it is installed, and without."""
    monkeypatch.setattr(tfgan, "INSTALLED", request.param)
    assert tfgan.computed_by() == ("tensorflow-gan" if request.param else "numpy")


def activations(n, seed, shift=0.0, width=8):
    generator = np.random.default_rng(seed)
    return (generator.normal(shift, 1, [n, width]) @ generator.normal(0, 1,
                                                                      [width, width])).astype(np.float32)


def streamed(x, kind, batch=50):
    target = kind()
    for i in range(0, len(x), batch):
        target.add(x[i:i + batch])
    return target


def test_frechet_equals_tensorflow_gan_and_the_formula():
    a, b = activations(301, 1), activations(170, 2, 0.5)
    ours = distances.frechet(streamed(a, Moments), streamed(b, Moments))
    a, b = a.astype(np.float64), b.astype(np.float64)
    if tfgan.INSTALLED:
        import tensorflow_gan

        theirs = tensorflow_gan.eval.frechet_classifier_distance_from_activations(tf.constant(a),
                                                                                  tf.constant(b))
        np.testing.assert_allclose(ours, float(theirs), rtol=1e-9)
    root = scipy.linalg.sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
    formula = ((a.mean(0) - b.mean(0))**2).sum() + np.trace(np.cov(a, rowvar=False)
                                                            + np.cov(b, rowvar=False) - 2 * root)
    np.testing.assert_allclose(ours, formula, rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-5, 1e-2, 1.0, 1e3])
def test_frechet_scales_with_the_features(scale):
    """tensorflow-gan cuts off singular values below 1e-10, whatever the others are: wrong for features of
    small numbers."""
    a, b = activations(301, 1), activations(170, 2, 0.5)
    whole = distances.frechet(streamed(a, Moments), streamed(b, Moments))
    scaled = distances.frechet(streamed(scale * a.astype(np.float64), Moments),
                           streamed(scale * b.astype(np.float64), Moments))
    np.testing.assert_allclose(scaled, scale**2 * whole, rtol=1e-8)


def test_frechet_of_singular_covariances():
    a, b = activations(5, 1, width=20), activations(6, 2, 0.5, width=20)
    root = scipy.linalg.sqrtm(np.cov(a.astype(np.float64), rowvar=False) @ np.cov(b.astype(np.float64),
                                                                                  rowvar=False)).real
    formula = ((a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64))**2).sum() + np.trace(
        np.cov(a.astype(np.float64), rowvar=False) + np.cov(b.astype(np.float64), rowvar=False) - 2 * root)
    found = distances.frechet(streamed(a, Moments), streamed(b, Moments))
    np.testing.assert_allclose(found, formula, rtol=1e-4)


def test_frechet_of_equals_is_zero():
    a, b = (streamed(activations(90, 3), Moments) for _ in range(2))
    assert distances.frechet(a, b) < 1e-7


@INSTALLED
@pytest.mark.parametrize("n_real, n_fake, block",
                         [(100, 100, 32), (130, 97, 40), (64, 200, 64), (50, 50, 1024)])
def test_kernel_equals_tensorflow_gan(n_real, n_fake, block):
    a, b = activations(n_real, 4), activations(n_fake, 5, 0.3)
    mean, error = tfgan.kernel(streamed(a, FeatureFile), streamed(b, FeatureFile), block)
    import tensorflow_gan

    theirs = tensorflow_gan.eval.kernel_classifier_distance_and_std_from_activations(
        tf.constant(a), tf.constant(b), max_block_size=block, dtype=tf.float64)
    np.testing.assert_allclose(mean, float(theirs[0]), rtol=1e-9)
    if max(n_real, n_fake) > block:
        np.testing.assert_allclose(error, float(theirs[1]), rtol=1e-9)
    else:
        assert np.isnan(error)  # one block tells nothing of the error


def test_kernel_of_one_block_is_the_formula():
    a, b = activations(40, 6).astype(np.float64), activations(30, 7).astype(np.float64)

    def k(x, y):
        return (x @ y.T / x.shape[1] + 1)**3

    def off_diagonal(m):
        return (m.sum() - np.trace(m)) / (len(m) * (len(m) - 1))

    formula = off_diagonal(k(a, a)) + off_diagonal(k(b, b)) - 2 * k(a, b).mean()
    mean, _ = tfgan.kernel(streamed(a, FeatureFile), streamed(b, FeatureFile))
    np.testing.assert_allclose(mean, formula, rtol=1e-9)


def test_kernel_with_too_few_samples_is_one_line():
    with pytest.raises(UserError, match="kid"):
        tfgan.kernel(streamed(activations(3, 8), FeatureFile), streamed(activations(100, 9), FeatureFile), 16)


def test_swd_is_finite_on_flat_images_and_tells_sets_apart():
    real = pictures(40, 32, 0)
    real[:, :16] = 0  # as a digit's dark ground: tensorflow-gan alone would divide by zero here
    levels = tfgan.sliced_wasserstein(real, pictures(40, 32, 1, 0, 60))
    assert [side for side, _, _ in levels] == [32, 16]
    assert all(np.isfinite([r, f]).all() and f > 2 * r for _, r, f in levels)
    same = tfgan.sliced_wasserstein(real, real)
    assert all(f < 1.5 * r for _, r, f in same)


def test_swd_depends_on_the_seed_only_and_leaves_numpys_generator_alone():
    real, fake = pictures(10, 16, 0), pictures(10, 16, 1)
    state = np.random.get_state()[1].copy()
    first = tfgan.sliced_wasserstein(real, fake, 3)
    np.random.uniform()
    np.random.set_state(("MT19937", state, *np.random.get_state()[2:]))
    assert first == tfgan.sliced_wasserstein(real, fake, 3)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("shape", [(16, 20), (5, 5), (66, 66)])
def test_swd_of_unfit_sizes_is_one_line(shape):
    x = np.zeros([4, *shape, 3], np.uint8)
    with pytest.raises(UserError, match="swd"):
        tfgan.sliced_wasserstein(x, x)


@INSTALLED
def test_the_twins_agree(monkeypatch):
    """Equal formulas to rounding; the sliced distance, whose draws differ, within its spread over seeds."""
    a, b = (streamed(activations(200, seed, shift), Moments) for seed, shift in ((1, 0.0), (2, 0.5)))
    x, y = (activations(60, seed, shift).astype(np.float64) for seed, shift in ((4, 0.0), (5, 0.3)))
    real, fake = (z.astype(np.float32) for z in (pictures(100, 32, 0), pictures(100, 32, 1, 0, 200)))
    found = {}
    for way in (True, False):
        monkeypatch.setattr(tfgan, "INSTALLED", way)
        swd = [tfgan.sliced_wasserstein(real.astype(np.uint8), fake.astype(np.uint8), seed)
               for seed in range(3)]
        found[way] = distances.frechet(a, b), tfgan._kernel_block(x, y), np.mean(swd, axis=0)
    for k in (0, 1):
        np.testing.assert_allclose(found[True][k], found[False][k], rtol=1e-9)
    # one draw spreads by up to 8% here (of 8 seeds), so means of three differ by up to 10%; that the means
    # are one is held by `test_both_ways_give_the_librarys_recorded_numbers`
    np.testing.assert_allclose(found[True][2], found[False][2], rtol=0.1)


LIBRARY = {64: (0.0276, 0.0576), 32: (0.0289, 0.0339), 16: (0.0286, 0.0440)}


def test_both_ways_give_the_librarys_recorded_numbers():
    """`LIBRARY`: floor and distance of each level by tensorflow-gan 2.1.0's `sliced_wasserstein_distance`,
    means of ten seeds, which spread by 2% of their mean. Coloured noise, smoother on one side: another
    normalisation of the patches, filter or border shows."""
    draw = np.random.default_rng(64)
    real, fake = (128 + 8 * np.float32([1, 0.6, 0.3]) * scipy.ndimage.gaussian_filter(
        draw.normal(0, 10, (60, 64, 64, 3)), (0, wide, wide, 0)) for wide in (1.0, 0.6))
    sets = [x.clip(0, 255).astype(np.uint8) for x in (real, fake)]
    found = np.mean([tfgan.sliced_wasserstein(*sets, seed) for seed in range(8)], axis=0)
    assert found[:, 0].tolist() == list(LIBRARY)
    np.testing.assert_allclose(found[:, 1:], list(LIBRARY.values()), rtol=0.08)


def test_the_pyramid_by_hand_and_back_again():
    """A point in the middle of a level: the binomial filter spreads it, every other pixel is kept, and zeros
    between them are filled with four times the filter."""
    point = np.zeros((1, 9, 9, 1), np.float32)
    point[0, 4, 4, 0] = 256.0
    fine, coarse = distances.laplacian_pyramid(point, 2)
    np.testing.assert_allclose(coarse[0, 1:4, 1:4, 0], [[1, 6, 1], [6, 36, 6], [1, 6, 1]])
    # one dimension: (1, 6, 1) between zeros, filtered by (1, 4, 6, 4, 1) / 8, has 38 / 8 in the middle
    np.testing.assert_allclose(fine[0, 4, 4, 0], 256 - (38 / 8) ** 2)
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    finest, middle, coarsest = distances.laplacian_pyramid(x, 3)
    again = finest + distances._expand(middle + distances._expand(coarsest, middle.shape), x.shape)
    np.testing.assert_allclose(again, x, atol=1e-3)
    flat = distances.laplacian_pyramid(np.full((1, 32, 32, 3), 7, np.float32), 2)
    np.testing.assert_allclose(flat[0], 0, atol=1e-5)
    np.testing.assert_allclose(flat[1], 7, atol=1e-5)
