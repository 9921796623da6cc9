"""Linear maps and what their weights pass through, against formulas written out in NumPy."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import conventions, weights
from tfgan_suite.layers.blocks import Chain, Maker, Residual
from tfgan_suite.layers.linear import convolve, deconvolve
from tfgan_suite.layers.network import Body
from tfgan_suite.layers.passes import Pass

DRAW = np.random.default_rng(0)
IMAGES, ROWS = DRAW.normal(size=(3, 8, 8, 5)).astype(np.float32), DRAW.normal(size=(3, 5)).astype(np.float32)
MOVING = Pass(training=True, update=True)


def test_spectral_weight_has_largest_singular_value_one():
    layer = Maker(weight=weights.Spectral()).conv("a", 5, 7)
    for _ in range(200):
        layer(IMAGES, MOVING)
    matrix = layer.applied(False).numpy().reshape(-1, 7)
    assert np.linalg.norm(matrix, 2) == pytest.approx(1.0, abs=1e-4)


def test_spectral_state_moves_only_when_it_may():
    layer = Maker(weight=weights.Spectral()).dense("a", 5, 7)
    before = layer.extra["u"].numpy()
    layer(ROWS, Pass(training=True, update=False))
    np.testing.assert_array_equal(layer.extra["u"].numpy(), before)
    layer(ROWS, MOVING)
    assert not np.array_equal(layer.extra["u"].numpy(), before)


@pytest.mark.parametrize("stop", [False, True])
def test_spectral_gradient_flows_through_sigma(stop):
    """With the vectors stopped the gradient of w / sigma is (I - w v u' / sigma) / sigma (Miyato et al. 2018,
    equation 12)."""
    layer = Maker(weight=weights.Spectral(stop_gradient=stop)).dense("a", 5, 7, bias=False)
    upstream = DRAW.normal(size=(5, 7)).astype(np.float32)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer.applied(False) * upstream)
    found = tape.gradient(total, layer.kernel).numpy()
    w, u = layer.kernel.numpy().astype(np.float64), layer.extra["u"].numpy().astype(np.float64)
    v = u @ w.T / np.linalg.norm(u @ w.T)
    u = v @ w / np.linalg.norm(v @ w)
    sigma = (v @ w @ u.T).item()
    expected = (upstream - np.sum(upstream * w) / sigma * (v.T @ u)) / sigma
    assert np.allclose(found, expected, atol=1e-5) == stop


def test_gain_keeps_the_length_and_starts_as_plain():
    layer = Maker(weight=weights.Gain()).deconv("a", 5, 7)
    np.testing.assert_allclose(layer.applied(False), layer.kernel.numpy(), rtol=1e-5)
    layer.kernel.assign(3 * layer.kernel)
    lengths = np.sqrt(np.sum(np.square(layer.applied(False).numpy()), (0, 1, 3)))
    np.testing.assert_allclose(lengths, layer.extra["g"].numpy(), rtol=1e-5)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("kind, factor", [("conv", 1.0), ("deconv", 0.25)])
def test_output_norm_divides_the_output(kind, factor, fast):
    make = Maker(convention=conventions.TORCH_2017)
    plain = getattr(make, kind)("a", 5, 7, 4, 2, (1, 1), bias=False)
    weight = weights.OutputNorm(scale=True, fast=fast)
    normed = getattr(make.but(weight=weight), kind)("a", 5, 7, 4, 2, (1, 1), bias=False)
    normed.extra["scale"].assign(2 * normed.extra["scale"])
    w = plain.kernel.numpy().astype(np.float64)
    length = np.sqrt(factor * np.sum(w**2, axis=(0, 1, 2) if kind == "conv" else (0, 1, 3)) + 1e-6)
    np.testing.assert_allclose(normed(IMAGES), 2 * plain(IMAGES).numpy() / length, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("most", [0, 2048])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("kind", ["conv", "deconv", "dense"])
def test_the_fast_output_norm_is_its_plain_twin(kind, scale, most, monkeypatch):
    """Output and gradients, with the factor in the kernel and behind it."""
    monkeypatch.setattr(weights, "SMALL_KERNEL", most)
    found = []
    for fast in (True, False):
        make = Maker(convention=conventions.TORCH_2017, weight=weights.OutputNorm(scale, fast))
        sizes = () if kind == "dense" else (4, 2, (1, 1))
        layer, x = getattr(make, kind)("a", 5, 7, *sizes), tf.constant(ROWS if kind == "dense" else IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            score = tf.reduce_sum(tf.sin(y))
        found.append([y, *tape.gradient(score, [x, *layer.trainable_variables])])
    for fast, plain in zip(*found):
        np.testing.assert_allclose(fast, plain, rtol=1e-4, atol=1e-4)


def test_equalised_multiplies_the_output_not_the_bias():
    layer = Maker(convention=conventions.PPGAN, weight=weights.Equalised(0.5)).dense("a", 5, 7)
    layer.bias.assign(np.arange(7.0))
    np.testing.assert_allclose(layer(ROWS), 0.5 * ROWS @ layer.kernel.numpy() + np.arange(7.0), rtol=1e-5,
                               atol=1e-6)


def explicit(x, kernel, stride, pad):
    """The plain twin: zeros written out, then VALID."""
    return tf.nn.conv2d(tf.pad(x, [[0, 0], [pad[0]] * 2, [pad[1]] * 2, [0, 0]]), kernel, stride, "VALID")


@pytest.mark.parametrize("k, stride, pad, same",
                         [(4, 2, (1, 1), True), (3, 1, (1, 1), True), (4, 2, (2, 2), False),
                                                  (4, 2, (0, 1), False), (2, 2, (0, 0), False)])
def test_zeros_on_each_side_are_same_where_they_can_be(k, stride, pad, same):
    kernel = tf.constant(DRAW.normal(size=(k, k, 5, 7)).astype(np.float32))
    np.testing.assert_allclose(convolve(IMAGES, kernel, stride, pad), explicit(IMAGES, kernel, stride, pad),
                               atol=1e-4)
    graph = tf.function(lambda x: convolve(x, kernel, stride,
                                           pad)).get_concrete_function(tf.TensorSpec((3, 8, 8, 5))).graph
    ways = {o.get_attr("padding") for o in graph.get_operations() if o.type == "Conv2D"}
    assert (ways == {b"SAME"}) == same


@pytest.mark.parametrize("k, pad", [(4, (1, 1)), (4, (2, 2)), (3, (0, 0))])
def test_transposed_convolution_is_the_gradient_of_the_convolution(k, pad):
    kernel, side = DRAW.normal(size=(k, k, 7, 5)).astype(np.float32), 7 * 2 + k - 2 * pad[0]
    image = tf.constant(DRAW.normal(size=(3, side, side, 7)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(explicit(image, kernel, 2, pad) * IMAGES)
    np.testing.assert_allclose(deconvolve(tf.constant(IMAGES), kernel, 2, pad), tape.gradient(total, image),
                               atol=1e-4)
    graph = tf.function(lambda x: deconvolve(x, kernel, 2, pad)).get_concrete_function(IMAGES).graph
    way, = (o.get_attr("padding") for o in graph.get_operations() if o.type == "Conv2DBackpropInput")
    assert (way == b"SAME") == ((k, pad) == (4, (1, 1)))


def test_embedding_takes_labels_and_weights_of_classes():
    layer = Maker(weight=weights.Spectral()).embedding("a", 4, 3)
    mixed = layer(tf.constant([[0.5, 0.5, 0.0, 0.0]]))
    rows = layer(tf.constant([0, 1])).numpy()
    np.testing.assert_allclose(mixed[0], rows.mean(0), atol=1e-6)
    assert layer.extra["u"].shape == (1, 4)
    fixed = Maker().embedding("b", 4, 3, table=np.ones((4, 3)))
    assert not fixed.trainable_variables and np.all(fixed(tf.constant([2])).numpy() == 1)


CONVENTIONS = [conventions.PLAIN, conventions.GAN_LIB, conventions.TFLIB, conventions.CARPEDM20,
               conventions.TORCH_2017,
               conventions.PPGAN, conventions.CHAINER]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_first_values_are_a_function_of_seed_and_name(convention):
    a, again, other, seeded = (Maker("s/", convention, seed).dense(title, 5, 7).kernel.numpy()
                               for title, seed in (("a", 0), ("a", 0), ("b", 0), ("a", 1)))
    np.testing.assert_array_equal(a, again)
    assert not np.array_equal(a, other) and not np.array_equal(a, seeded)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_files_come_back(convention):
    make = Maker("s.", convention)
    network = Body(Chain(make.conv("a", 5, 7), lambda x: tf.reduce_mean(x, (1, 2)), make.dense("b", 7, 2)),
                   convention)
    arrays = {name: value + 1 for name, value in network.arrays()}
    assert {name: value.shape for name, value in arrays.items()} == network.shapes()
    network.assign(arrays)
    for name, value in network.arrays():
        np.testing.assert_array_equal(value, arrays[name])


def test_chain_and_residual_tell_every_layer_how_the_pass_is_meant():
    make = Maker(weight=weights.Spectral())
    layers = [make.dense(str(i), 5, 5) for i in range(3)]
    network = Body(Residual(Chain(layers[0], tf.nn.relu), Chain(layers[1], Chain(layers[2])), 0.3))
    before = [layer.extra["u"].numpy() for layer in layers]
    network(ROWS, training=True, update=False)
    assert all(np.array_equal(b, layer.extra["u"].numpy()) for b, layer in zip(before, layers))
    network(ROWS, training=True)
    assert not any(np.array_equal(b, layer.extra["u"].numpy()) for b, layer in zip(before, layers))
    assert {title for title, _, _ in network.spectral_weights()} == {"0", "1", "2"}
