"""The normalisation under its rules: statistics, derivatives, averages, tables."""
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.layers.blocks import Maker
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.passes import Pass

X = np.random.default_rng(0).normal(1.0, 2.0, size=(6, 4, 4, 3)).astype(np.float32)
TRAINING = Pass(training=True, update=True)


def make(rule, classes=0):
    layer = Maker(rule=rule, classes=classes).norm("n", 3)
    draw = np.random.default_rng(1)
    layer.offset.assign(draw.normal(size=layer.offset.shape))
    if layer.scale is not None:
        layer.scale.assign(draw.normal(1, 0.1, size=layer.scale.shape))
    return layer


def by_hand(x, axes, epsilon, scale, offset):
    x = x.astype(np.float64)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * scale + offset


@pytest.mark.parametrize("rule, axes",
                         [(Rule(), (0, 1, 2)), (Rule(folded=False), (0, 1, 2)),
                          (Rule("layer", 1e-3), (1, 2, 3)),
                          (Rule(operation=True), (0, 1, 2)), (Rule(moments="tf13"), (0, 1, 2))])
def test_values(rule, axes):
    layer = make(rule)
    expected = by_hand(X, axes, rule.epsilon, layer.scale.numpy(), layer.offset.numpy())
    np.testing.assert_allclose(layer(X, TRAINING), expected, atol=2e-5)


def second_derivative(layer):
    """The gradient, with respect to the input, of a penalty on the input gradient that weighs the samples
    differently, as the layers in front of a norm do (a sum over all samples alike is blind to the mean)."""
    weights = np.random.default_rng(2).random(X.shape).astype(np.float32)
    x = tf.Variable(X)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.sin(layer(x, TRAINING)))
        penalty = tf.reduce_sum(weights * tf.square(tape.gradient(y, x)))
    return outer.gradient(penalty, x).numpy()


def twins(rule, classes=0):
    """The same layer with the fused operation and without."""
    fused, plain = make(replace(rule, operation=True), classes), make(rule, classes)
    return fused, plain


def test_the_fused_operation_and_its_plain_twin_agree_in_second_derivatives():
    fused, plain = twins(Rule())
    np.testing.assert_allclose(second_derivative(fused), second_derivative(plain), atol=1e-4)


RULES = {"plain": Rule(), "unfolded, kept": Rule(running="kept", debias=True, folded=False),
         "biased average": Rule(running="at rest", unbiased=False), "no scale": Rule(scale=False)}


@pytest.mark.parametrize("classes", [0, 4])
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("rule", RULES)
def test_the_fused_operation_is_its_plain_twin(rule, groups, classes):
    """Output, gradients of input and weights, moved averages; of each group."""
    if classes and not RULES[rule].scale:
        return
    labels = tf.constant([0, 1, 2, 3, 0, 1]) if classes else None
    how, found = Pass(training=True, update=True, groups=groups, labels=labels), []
    weights = tf.constant(np.random.default_rng(3).normal(size=X.shape).astype(np.float32))
    for layer in twins(RULES[rule], classes):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, how)
            score = tf.reduce_sum(weights * y)
        gradients = tape.gradient(score, [x, *layer.trainable_variables])
        found.append([y, *gradients, *layer.averages.values()])
    for fused, plain in zip(*found):
        np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=2e-5)


def test_the_fused_operation_takes_vectors_too():
    fused, plain = twins(Rule(running="at rest"))
    vectors = X[:, 0, 0]
    np.testing.assert_allclose(fused(vectors, TRAINING), plain(vectors, TRAINING), atol=2e-5)


def test_several_devices_take_the_plain_form(monkeypatch):
    """The operation knows one device's batch only."""
    layer = make(Rule(operation=True))
    run = tf.function(lambda x: layer(x, Pass(training=True)))
    types = [op.type for op in run.get_concrete_function(X).graph.get_operations()]
    assert "FusedBatchNormV3" in types
    monkeypatch.setattr(distributed, "replicas", lambda: 2)
    run = tf.function(lambda x: layer(x, Pass(training=True)))
    assert "FusedBatchNormV3" not in [op.type for op in run.get_concrete_function(X).graph.get_operations()]


def test_moments_of_tf13_have_other_second_derivatives():
    exact, stopped = second_derivative(make(Rule())), second_derivative(make(Rule(moments="tf13")))
    assert np.max(np.abs(exact - stopped)) > 1e-3 * np.max(np.abs(exact))


def test_groups_are_batches_of_their_own():
    layer = make(Rule())
    together = layer(X, Pass(training=True, groups=2)).numpy()
    for group in (0, 1):
        np.testing.assert_allclose(together[group::2], layer(X[group::2], Pass(training=True)), atol=1e-5)


def test_tables_of_classes_and_mixtures():
    layer = make(Rule(), classes=4)
    labels = np.array([0, 1, 2, 3, 0, 1])
    scale, offset = (t.numpy()[labels][:, None, None] for t in (layer.scale, layer.offset))
    expected = by_hand(X, (0, 1, 2), 1e-5, scale, offset)
    np.testing.assert_allclose(layer(X, Pass(labels=tf.constant(labels))), expected, atol=2e-5)
    weights = tf.one_hot(labels, 4)
    np.testing.assert_allclose(layer(X, Pass(labels=weights)), expected, atol=2e-5)


def test_averages_at_rest():
    layer = make(Rule(running="at rest", decay=0.5))
    layer(X, TRAINING)
    mean, variance = X.mean((0, 1, 2)), X.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.averages["mean"], 0.5 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.averages["variance"], 0.5 + 0.5 * variance, rtol=1e-5)
    y = (X - 0.5 * mean) / np.sqrt(0.5 + 0.5 * variance + 1e-5) * layer.scale.numpy() + layer.offset.numpy()
    np.testing.assert_allclose(layer(X), y, atol=1e-5)
    layer(X, Pass(training=True, update=False))
    np.testing.assert_allclose(layer.averages["mean"], 0.5 * mean, rtol=1e-5)


def test_debiased_average_of_a_constant_is_that_constant():
    layer = make(Rule(running="kept", debias=True))
    for _ in range(3):
        layer(X, TRAINING)
        np.testing.assert_allclose(layer.averages["mean"], X.mean((0, 1, 2)), rtol=1e-5)
    assert layer.averages["count"].numpy() == 3
