"""Penalties by name on one look at D."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import options, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters

DRAW = np.random.default_rng(0)
REAL, FAKE = (tf.constant(DRAW.normal(size=(4, 5, 5, 2)).astype(np.float32)) for _ in range(2))
W = tf.Variable(DRAW.normal(size=(50, 1)).astype(np.float32))
VALUES = {"gamma": 0.3, "r1_weight": 2.0, "r2_weight": 3.0}


def score(x):
    """tanh(w x): its gradient is (1 - tanh^2) w."""
    return tf.tanh(tf.matmul(tf.reshape(x, [-1, 50]), W))[:, 0]


def slopes(x):
    """Squared gradient norms, by hand."""
    return (1 - score(x).numpy()**2)**2 * np.sum(W.numpy()**2)


def test_every_offered_penalty_is_registered_and_no_other():
    assert set(penalties.PENALTIES) == set(options.PENALTIES)


def test_values_by_hand():
    look = penalties.Look(REAL, FAKE, score)
    term, scalars = penalties.terms(("r1", "r2"), look, VALUES)
    assert float(term) == pytest.approx(slopes(REAL).mean() + 1.5 * slopes(FAKE).mean(), rel=1e-4)
    assert set(scalars) == {"penalty", "r1", "r2"} and scalars["penalty"] is term
    js, scalars = penalties.terms(("js",), look, VALUES)
    d_real, d_fake = (1 / (1 + np.exp(-score(x).numpy())) for x in (REAL, FAKE))
    halves = np.mean((1 - d_real)**2 * slopes(REAL)), np.mean(d_fake**2 * slopes(FAKE))
    assert float(js) == pytest.approx(0.15 * sum(halves), rel=1e-4)
    assert set(scalars) == {"penalty", *penalties.JS_SCALARS}


def test_several_share_each_pass_over_d_with_the_loss():
    calls = []

    def counted(x):
        calls.append(x)
        return score(x)

    look = penalties.Look(REAL, FAKE, counted)
    both, _ = penalties.terms(("js", "r1", "r2"), look, VALUES)
    assert look.real.logits.shape == (4,) and len(calls) == 2
    alone = sum(float(penalties.terms((name,), penalties.Look(REAL, FAKE, score), VALUES)[0])
                for name in ("js", "r1", "r2"))
    assert float(both) == pytest.approx(alone, rel=1e-5)


def test_a_weight_of_zero_makes_no_pass():
    look = penalties.Look(REAL, FAKE, lambda x: pytest.fail("D was called"))
    term, scalars = penalties.terms(("js", "r1"), look, {"gamma": 0.0, "r1_weight": 0})
    assert float(term) == 0.0 and not scalars


def test_the_gradient_of_a_zero_norm_is_zero():
    squares = tf.Variable([0.0, 4.0])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(penalties.norms_of(squares))
    assert float(total) == 2.0
    np.testing.assert_allclose(tape.gradient(total, squares), [0.0, 0.25])


def test_between_is_on_the_line():
    np.testing.assert_allclose(penalties.between(REAL, FAKE, tf.zeros([4, 1])), REAL)
    half = penalties.between(REAL, FAKE, tf.fill([4], 0.5))
    np.testing.assert_allclose(half, (REAL + FAKE) / 2, atol=1e-6)


@pytest.mark.parametrize("value, names", [("none", ()), ("js", ("js",)), ("js, r1", ("js", "r1")),
                                          (None, ())])
def test_names(value, names):
    assert options.penalty_names(value) == names


@pytest.mark.parametrize("value, word", [("jsr", "unknown"), ("js,js", "twice"), ("js;r1", "unknown")])
def test_odd_names_are_refused(value, word):
    with pytest.raises(UserError, match=word):
        options.penalty()[0].convert(value, "command line")


def test_gamma_of_an_annealed_run():
    values = {"gamma": 2.0, "annealing": True, "decay_factor": 0.01, "r1_weight": 1.0, "r2_weight": 0.0}
    params = Parameters("t", values)
    first, last = (penalties.parameters(params, tf.constant(i, tf.int64), 11)["gamma"] for i in (0, 10))
    assert float(first) == pytest.approx(2.0) and float(last) == pytest.approx(0.02)
