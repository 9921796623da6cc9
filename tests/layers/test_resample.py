"""Changes of size against their plain forms, with derivatives of the second order."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers.resample import nearest, nearest_plainly

X = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)


def slopes(double, x):
    """(values, gradient, gradient of a penalty on the gradient) of a curved score of the doubled image."""
    x = tf.Variable(x)
    weights = tf.constant(np.random.default_rng(1).normal(size=(2, 6, 10, 4)).astype(np.float32))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            y = double(tf.convert_to_tensor(x))
            score = tf.reduce_sum(weights * tf.sin(y))
        gradient = tape.gradient(score, x)
        penalty = tf.reduce_sum(tf.square(gradient))
    return y, gradient, outer.gradient(penalty, x)


def test_doubling_is_its_plain_twin():
    for fast, plain in zip(slopes(nearest, X), slopes(nearest_plainly, X)):
        np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(nearest(X), nearest_plainly(X))


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_doubling_keeps_type_and_shape(kind):
    run = tf.function(nearest)
    found = run.get_concrete_function(tf.TensorSpec((None, 3, 5, 4), kind)).structured_outputs
    assert found.dtype.name == kind and found.shape.as_list() == [None, 6, 10, 4]
