"""LIS augmentation: ranges and probabilities of the sets, independence of the batch, geometry by plain
loops.
"""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.lis import augmentation
from tfgan_suite.random import generator

SETS = {**augmentation.SETS, **augmentation.INCEPTION_SETS}


def generators(n, seed=0):
    return [generator(seed, i) for i in range(n)]


def pictures(n, h=12, w=10):
    return np.random.default_rng(5).integers(0, 256, (n, h, w, 3), np.uint8)


@pytest.mark.parametrize("name", SETS)
def test_an_image_does_not_depend_on_its_neighbours(name):
    images = pictures(9)
    whole = augmentation.augment(images, SETS[name], generators(9))
    assert whole.dtype == np.uint8 and whole.shape == images.shape
    alone = [augmentation.augment(images[i:i + 1], SETS[name], [generator(0, i)])[0] for i in range(9)]
    np.testing.assert_array_equal(whole, alone)
    np.testing.assert_array_equal(images, pictures(9))  # the input is left as it was
    assert name == "none" or not np.array_equal(whole, images)


@pytest.mark.parametrize("name, children", [("flowers102", 4), ("cifar10", 3), ("10kcats", 3),
                                            ("lsun_churches", 4)])
def test_each_operation_is_applied_to_half_of_the_images_in_any_order(name, children):
    """Each operation is replaced by one that multiplies by its prime, in its own decimal place of the
    order.
    """
    calls = []

    def spy(k):
        operation = augmentation.SETS[name][k]
        return augmentation.Operation(operation.draw, lambda x, p: calls.append((k, len(x))) or x,
                                      operation.probability)

    n = 2000
    augmentation.augment(np.zeros((n, 4, 4, 3), np.uint8),
                         tuple(spy(k) for k in range(len(augmentation.SETS[name]))),
                         generators(n))
    assert len(augmentation.SETS[name]) == children
    for k in range(children):
        counts = [count for which, count in calls if which == k]
        assert len(counts) == children  # in every place of the order
        assert abs(sum(counts) / n - 0.5) < 0.05
        assert all(abs(count / n - 0.5 / children) < 0.04 for count in counts)


def draws(operation, n=3000, h=10, w=10):
    return np.array([operation.draw(generator(1, i), h, w) for i in range(n)])


@pytest.mark.parametrize("operation", [augmentation.MULTIPLY, augmentation.CONTRAST])
def test_ranges_of_factors(operation):
    found = draws(operation)
    assert 0.9 <= found.min() < 0.905 and 1.095 < found.max() <= 1.1 and abs(found.mean() - 1) < 0.005


@pytest.mark.parametrize("operation, largest", [(augmentation.NOISE, 8.925),
                                                (augmentation.INCEPTION_SETS["gaussian-noise"][0], 30.0)])
def test_spread_of_noise(operation, largest):
    found = draws(operation, 800, 20, 20)
    assert found.shape == (800, 20, 20, 1)
    spreads = found.std(axis=(1, 2, 3))
    assert abs(spreads.mean() - largest / 2) < 0.05 * largest and spreads.max() < 1.1 * largest


@pytest.mark.parametrize("operation, degrees, pixels",
                         [(augmentation.TURN, 15.0, 0), (augmentation.SHIFT, 1.0, 2)])
def test_ranges_of_affine_maps(operation, degrees, pixels):
    found = draws(operation, h=20, w=20)
    scales = np.hypot(found[:, 0, :2], found[:, 1, :2])
    angles = np.rad2deg(np.arctan2(found[:, 1, 0], found[:, 0, 0]))
    assert scales.min() >= 0.9 and scales.max() <= 1.1 and abs(np.corrcoef(scales.T)[0, 1]) < 0.06
    assert 0.97 * degrees < np.abs(angles).max() <= degrees and abs(angles.mean()) < 0.05 * degrees
    assert set(np.unique(np.abs(found[:, :, 2]))) == set(range(pixels + 1))


def test_inception_damages():
    white = np.full((600, 16, 16, 3), 200, np.uint8)
    dropped = augmentation.augment(white, SETS["dropout"], generators(600))
    lost = (dropped == 0).mean(axis=(1, 2, 3))
    assert set(np.unique(dropped)) == {0, 200} and abs(lost.mean() - 0.05) < 0.005 and lost.max() < 0.2
    assert ((dropped == 0).all(-1) == (dropped == 0).any(-1)).all()
    images = pictures(3)
    np.testing.assert_array_equal(augmentation.augment(images, SETS["vertical-flips"], generators(3)),
                                  images[:, ::-1])


def test_unmoved_mesh_and_identity_leave_the_image():
    images = pictures(2)
    np.testing.assert_array_equal(augmentation.piecewise_affine(images, np.zeros((2, 4, 4, 2))), images)
    for order, mirror in ((3, True), (1, False), (1, True)):
        same = augmentation.affine(images, np.stack([augmentation.affine_matrix(1, 1, 0)] * 2), order,
                                   mirror)
        np.testing.assert_array_equal(same, images)


def test_mesh_points_go_where_they_are_told():
    jitter = np.random.default_rng(0).normal(0, 1, (1, 4, 4, 2))
    corners = np.stack(np.meshgrid(np.linspace(0, 9, 4), np.linspace(0, 12, 4)), -1) + jitter
    found = augmentation.mesh_coordinates(corners, 12, 9)
    for i in range(3):
        for j in range(3):
            np.testing.assert_allclose(found[0, i * 4, j * 3], corners[0, i, j], atol=1e-9)


def reference(image, x, y, order, mirror):
    """One pixel read between pixels, written out."""
    h, w, c = image.shape

    def pixel(row, column):
        if mirror:
            row, column = (k % (2 * n) if k % (2 * n) < n else 2 * n - 1 - k % (2 * n) for k,
                           n in ((row, h), (column, w)))
        elif not (0 <= row < h and 0 <= column < w):
            return np.zeros(c)
        return image[row, column].astype(float)

    def kernel(t):
        t = abs(t)
        if order == 1:
            return max(0.0, 1 - t)
        return (
            1.5 * t**3 - 2.5 * t**2 + 1 if t < 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0
        )

    rows, columns = (range(int(np.floor(v)) - 1, int(np.floor(v)) + 3) for v in (y, x))
    return sum(kernel(y - i) * kernel(x - j) * pixel(i, j) for i in rows for j in columns)


def test_both_ways_to_read_between_pixels_are_equal():
    """tensorflow_addons' where it is installed, ours where it is not."""
    pytest.importorskip("tensorflow_addons")
    images = pictures(3, 7, 5).astype(np.float32)
    points = np.random.default_rng(4).uniform(-3, 9, (3, 200, 2)).astype(np.float32)
    points[:, :20] = np.round(points[:, :20])
    ours, theirs = augmentation._between(images, points), augmentation._between_by_addons(images, points)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
    assert np.mean(ours.astype(np.uint8) != theirs.astype(np.uint8)) < 0.005


@pytest.mark.parametrize("ours", [False, True])
def test_a_shift_is_that_of_tensorflows_projective_transform(ours, monkeypatch):
    """TensorFlow's own operation does affine maps with a black outside, in float32 coordinates: the same
    picture but for roundings at whole grey levels. Meshes, mirrors and cubic reading it cannot do."""
    if ours:
        monkeypatch.setattr(augmentation, "interpolation", lambda: augmentation._between)
    images, centre = pictures(4, 16, 16), np.array([8.0, 8.0])
    matrices = np.stack([augmentation.affine_matrix(1 + k / 10, 1 - k / 20, 3 * k, k, -k) for k in range(4)])
    inverse = np.linalg.inv(matrices[:, :, :2])
    shift = centre - np.einsum("nij,nj->ni", inverse, centre + matrices[:, :, 2])
    transforms = np.concatenate([inverse, shift[..., None]], 2).reshape(4, 6)
    transforms = np.concatenate([transforms, np.zeros((4, 2))], 1)  # affine: the last row is (0, 0, 1)
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=images.astype(np.float32), transforms=transforms.astype(np.float32), output_shape=[16, 16],
        fill_value=0.0, interpolation="BILINEAR", fill_mode="CONSTANT").numpy()
    theirs = np.clip(theirs, 0, images.max(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)
    found = augmentation.affine(images, matrices, order=1, mirror=False)
    assert np.abs(found.astype(int) - theirs).max() <= 1 and np.mean(found != theirs) < 0.02


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("order, mirror", [(1, True), (1, False), (3, True)])
def test_reading_between_pixels(order, mirror, ours, monkeypatch):
    if ours:
        monkeypatch.setattr(augmentation, "interpolation", lambda: augmentation._between)
    images = pictures(2, 5, 4)
    coordinates = np.random.default_rng(2).uniform(-9, 12, (2, 6, 7, 2))
    found = augmentation.sample(images, coordinates, order, mirror)
    for n in range(2):
        low = images[n].min() if mirror else 0
        for i in range(6):
            for j in range(7):
                expected = np.clip(reference(images[n], *coordinates[n, i, j], order, mirror), low,
                                   images[n].max())
                assert np.all(np.abs(found[n, i, j] - expected) <= 1.0 + 1e-3)
