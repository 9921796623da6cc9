"""Activations in bfloat16: what they are in float32, with derivatives of both orders."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers.activations import PReLU, TPReLU, lrelu
from tfgan_suite.layers.conventions import TORCH_2017

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
LAYERS = {"lrelu": lambda: lrelu, "prelu": lambda: PReLU("a", 6, TORCH_2017),
          "tprelu": lambda: TPReLU("a", 6, TORCH_2017)}


def slopes(activation, kind):
    """(values, gradient, gradient of a penalty on the gradient), of a curved score, float32."""
    x = tf.cast(tf.constant(X), kind)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = activation(x)
            score = tf.reduce_sum(tf.square(y))
        gradient = tape.gradient(score, x)
        penalty = tf.reduce_sum(tf.square(gradient))
    found = y, gradient, outer.gradient(penalty, x)
    assert all(t.dtype == kind for t in found)
    return [tf.cast(t, tf.float32).numpy() for t in found]


@pytest.mark.parametrize("name", LAYERS)
def test_bfloat16_is_float32_but_for_rounding(name):
    layer = LAYERS[name]()
    for half, exact in zip(slopes(layer, tf.bfloat16), slopes(layer, tf.float32)):
        np.testing.assert_allclose(half, exact, rtol=0.03, atol=0.03)


def test_leaky_relu_in_bfloat16_does_not_use_its_slow_gradient():
    def gradient(x):
        return tf.gradients(lrelu(x), x)[0]

    graph = tf.function(gradient).get_concrete_function(tf.TensorSpec([4], tf.bfloat16)).graph
    kinds = {op.get_attr("T") for op in graph.get_operations() if op.type == "LeakyReluGrad"}
    assert kinds == {tf.float32}
