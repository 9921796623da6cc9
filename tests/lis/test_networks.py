"""Networks: sizes, modules, exits, randomness as data."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.activations import sigmoid
from tfgan_suite.lis import losses, networks


@pytest.mark.parametrize(("size", "levels"), [((28, 28), 2), ((32, 32), 3), ((48, 36), 3), ((64, 64), 4),
                                              ((80, 80), 4),
                                              ((96, 76), 4), ((128, 128), 5), ((160, 160), 5),
                                              ((256, 256), 6)])
def test_automatic_levels(size, levels):
    assert networks.automatic_levels(*size) == levels


@pytest.mark.parametrize("upscaling", ["fractional", "nearest", "bilinear"])
@pytest.mark.parametrize(("width", "height", "levels"),
                         [(20, 14, 3), (12, 18, 2), (16, 16, 2), (36, 28, 4), (32, 32, 4)])
def test_every_upscaling_gives_the_requested_size(width, height, levels, upscaling):
    """The original's nearest and bilinear upscaling gives other sizes than D takes."""
    size, make = networks.pyramid(width, height, levels), networks.LisMaker("weight")
    images = networks.GeneratorLIS(size, 4, 6, make, 1, upscaling)(np.zeros((2, 6), np.float32))
    assert images.shape == (2, height, width, 3)
    assert networks.discriminator(size, 4, make)(images).shape == (2,)


@pytest.mark.parametrize("norm", ["none", "batch", "weight", "weight-affine"])
def test_modules_that_do_not_run_change_nothing(norm):
    size, make = networks.pyramid(8, 8, 2), networks.LisMaker(norm)
    net = networks.GeneratorLIS(size, 4, 6, make, 3)
    x = tf.random.stateless_normal((3, 6), (1, 2))
    for count in range(4):
        with tf.GradientTape() as tape:
            images, vectors = net.images_and_vectors(x, executed=tf.constant(count))
            loss = tf.reduce_sum(images) + sum(tf.reduce_sum(v) for v in vectors[:count])
        assert all(np.array_equal(v, vectors[count - 1] if count else x) for v in vectors[count:])
        gradients = dict(zip((v.name for v in net.trainable_variables),
                             tape.gradient(loss, net.trainable_variables)))
        for name, gradient in gradients.items():
            if name.startswith("lis_layers"):
                assert np.any(np.asarray(gradient)) <= (int(name.split(".")[1]) < count)
    np.testing.assert_array_equal(net(x), net(x, executed=3))


def test_two_networks_of_one_seed_are_equal_and_of_two_are_not():
    size = networks.pyramid(8, 8, 2)
    a, b, c = (networks.discriminator(size, 4, networks.LisMaker("batch", seed)) for seed in (1, 1, 2))
    first = dict(a.arrays())
    assert all(np.array_equal(first[n], v) for n, v in b.arrays())
    assert any(not np.array_equal(first[n], v) for n, v in c.arrays())


def test_files_are_read_back_as_they_were_written():
    size, make = networks.pyramid(20, 14, 3), networks.LisMaker("weight-affine")
    a = networks.GeneratorLIS(size, 4, 6, make, 2)
    b = networks.GeneratorLIS(size, 4, 6, networks.LisMaker("weight-affine", 5), 2)
    b.assign(dict(a.arrays()))
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(a(x), b(x))
    assert dict(a.arrays())["conv_layers.0.weight"].shape == (16, 8, 4, 4)


def test_saturated_discriminator_has_no_gradient():
    """The value is 27.63 and nothing flows back."""
    logits = tf.constant([[-200.0], [200.0]])
    for real in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = losses.adversarial(sigmoid(logits), real, False)
        assert abs(float(loss) - 27.631 / 2) < 1e-3
        np.testing.assert_array_equal(tape.gradient(loss, logits), np.zeros((2, 1)))


@pytest.mark.parametrize(("width", "height", "levels", "word"),
                         [(15, 16, 2, "odd"), (16, 16, 0, "levels"), (4, 4, 1, "")])
def test_bad_sizes(width, height, levels, word):
    if not word:
        assert networks.pyramid(width, height, levels).top == (2, 2)
        return
    with pytest.raises(UserError, match=word):
        networks.pyramid(width, height, levels)


def test_another_number_of_modules_than_the_checkpoint_has():
    size, make = networks.pyramid(8, 8, 2), networks.LisMaker("weight")
    two, three = (networks.GeneratorLIS(size, 4, 6, make, n) for n in (2, 3))
    for net, held in ((three, two), (two, three)):
        with pytest.raises(UserError, match="--r_iterations"):
            net.assign(dict(held.arrays()))
