"""The Jensen-Shannon regulariser: value, second-order gradient, zero gradients, schedules."""
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import experiment, losses, options, penalties, registry
from tfgan_suite.errors import UserError
from tfgan_suite.lis.reports import ABSENT
from tfgan_suite.training import runs


def linear(weights):
    """A discriminator whose gradient is known: logits x w."""
    return lambda x: tf.matmul(x, weights)


def test_value_and_halves_of_a_linear_discriminator():
    w = tf.Variable([[1.0], [-2.0]])
    real, fake = tf.constant([[0.5, 0.1], [1.0, 1.0]]), tf.constant([[0.0, 1.0], [2.0, 0.5]])
    found = penalties.js_regularizer(linear(w), real, fake)
    d_real, d_fake = (tf.sigmoid(x @ w).numpy() for x in (real, fake))
    assert float(found.real) == pytest.approx(5.0 * np.mean((1 - d_real) ** 2), rel=1e-6)
    assert float(found.fake) == pytest.approx(5.0 * np.mean(d_fake ** 2), rel=1e-6)
    assert float(found.value) == pytest.approx(float(found.real + found.fake), rel=1e-6)
    assert float(found.real_norm) == pytest.approx(np.sqrt(5.0), rel=1e-6)
    assert set(found.scalars()) >= {"disc_regularizer", "D1_regularizer", "D2_regularizer",
                                    "grad_D_logits_norm"}


def test_second_order_gradient_agrees_with_differences():
    random = np.random.RandomState(0)
    weights = [tf.Variable(random.normal(size=s), dtype=tf.float64) for s in ((3, 5), (5, 1))]
    real, fake = (tf.constant(random.normal(size=(4, 3))) for _ in range(2))

    def value():
        discriminator = lambda x: tf.tanh(x @ weights[0]) @ weights[1]  # noqa: E731
        parts = [penalties.View(discriminator, x) for x in (real, fake)]
        squares = [tf.reduce_sum(view.gradient**2, 1) for view in parts]
        d = [tf.sigmoid(view.logits[:, 0]) for view in parts]
        return tf.reduce_mean((1 - d[0]) ** 2 * squares[0] + d[1] ** 2 * squares[1])

    with tf.GradientTape() as tape:
        loss = value()
    gradient = tape.gradient(loss, weights[0]).numpy()
    start = weights[0].numpy()
    for index in ((0, 0), (1, 3), (2, 4)):
        bump = np.zeros_like(start)
        bump[index] = 1e-5
        sides = []
        for sign in (1, -1):
            weights[0].assign(start + sign * bump)
            sides.append(float(value()))
        assert gradient[index] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5)


def test_zero_gradient_rows_have_finite_derivatives():
    w = tf.Variable(tf.zeros((2, 1)))
    x = tf.ones((3, 2))
    with tf.GradientTape() as tape:
        found = penalties.js_regularizer(linear(w), x, x)
        loss = found.value + found.real_norm
    assert float(found.value) == 0.0
    assert np.isfinite(tape.gradient(loss, w).numpy()).all()


def test_views_of_two_replicas_do_not_wait_for_each_other():
    """A replica's thread waits within D for the other one, which makes a pass of its own meanwhile."""
    barrier = threading.Barrier(2, timeout=30)

    def score(x):
        barrier.wait()
        return tf.reduce_sum(x, 1)

    with ThreadPoolExecutor(2) as pool:
        squares = list(pool.map(lambda i: penalties.View(score, tf.ones((3, 2))).squares.numpy(), range(2)))
    np.testing.assert_array_equal(squares, np.full((2, 3), 2.0))


def test_labels_of_real_and_fake_may_differ():
    w, x = tf.constant([[1.0], [1.0]]), tf.ones((2, 2))
    found = penalties.js_regularizer(linear(w), x, x, on_fake=linear(3.0 * w))
    assert float(found.fake_norm) == pytest.approx(3.0 * float(found.real_norm))


@pytest.mark.parametrize("from_one, first", [(False, 2.0), (True, 2.0 * 0.01 ** 0.1)])
def test_annealing_ends_at_the_decay_factor(from_one, first):
    params = SimpleNamespace(gamma=2.0, annealing=True, decay_factor=0.01)
    gammas = [float(penalties.js_gamma(params, tf.constant(i, tf.int64), 10, from_one)) for i in range(10)]
    assert gammas[0] == pytest.approx(first) and gammas[-1] == pytest.approx(0.02)
    assert float(penalties.js_gamma(params, tf.constant(0), 1)) == pytest.approx(2.0)


def test_penalty_for_any_system():
    params = experiment.load("jsreg_mixture").replace(penalty="js", gamma=0.5, r1_weight=3.0)
    w, x = tf.constant([[1.0], [1.0]]), tf.ones((2, 2))
    look = penalties.Look(x, x, linear(w))
    term, scalars = penalties.of_params(params, look, tf.constant(0), 10)
    assert float(term) == pytest.approx(0.25 * float(scalars["disc_regularizer"])) and scalars["gamma"] == 0.5
    params = params.replace(penalty="js,r1")
    both, scalars = penalties.of_params(params, look, tf.constant(0), 10)
    assert float(both) == pytest.approx(float(term)
                                        + 1.5 * 2.0) and float(scalars["r1"]) == pytest.approx(2.0)
    params = params.replace(penalty="none")
    term, scalars = penalties.of_params(params, look, tf.constant(0), 10)
    assert float(term) == 0.0 and scalars == {}


@pytest.mark.parametrize("given, default, found", [
    ((None, False), "js", "js"), ((None, True), "js", "none"), ((None, False), "none", "none"),
    (("js", False), "none", "js"),
    (("none", False), "js", "none"), (("none", True), "js", "none"), (("r1", True), "js", "r1"),
])
def test_unreg_and_penalty_have_one_rule(given, default, found):
    params = experiment.load("jsreg_mixture").replace(penalty=given[0], unreg=given[1])
    assert options.without_contradiction(params, default).penalty == found


@pytest.mark.parametrize("name", ["digits_jsreg", "jsreg_gan64", "jsreg_mixture"])
def test_unreg_denies_the_regulariser_in_every_system(name):
    params = experiment.load(name, {"unreg": "True", "penalty": "r1,js"})
    with pytest.raises(UserError, match="--unreg and --penalty=r1,js contradict each other"):
        runs.build(params, training=False)


def test_a_weight_of_zero_does_not_even_call_the_discriminator():
    def never(x):
        raise AssertionError("called")

    look = penalties.Look(tf.ones((2, 2)), tf.ones((2, 2)), never)
    params = experiment.load("jsreg_mixture").replace(penalty="js,r1,r2", gamma=0.0, r1_weight=0.0,
                                                      r2_weight=0.0, annealing=True)
    term, scalars = penalties.of_params(params, look, tf.constant(0), 10)
    assert float(term) == 0.0 and scalars == {}


TINY = {
    "digits_jsreg": {"gf_dim": 2, "df_dim": 2, "batch_size": 4, "dataset_size": 8},
    "jsreg_gan64": {"architecture": "DCGAN", "DIM": 2, "batch_size": 4, "dataset": "digits"},
    "jsreg_mixture": {"hidden": 4, "batch_size": 4},
    "digits": {"imsz": 16, "f1": 8, "df": 4, "bsz": 4, "filts": "4,2,1,2"},
    "digits_baseline": {"imsz": 16, "f1": 8, "df": 4, "bsz": 4},
    "digits_any": {"imsz": 16, "width": 4, "bsz": 4},
    "digits_glis": {"image_size": 8, "code_size": 4, "nfeature": 4, "nlayer": 2, "batch_size": 4,
                    "r_iterations": 1},
    "digits_lis_iterative": {"image_size": 8, "code_size": 4, "nfeature": 4, "nlayer": 2, "batch_size": 4,
                             "r_iterations": 1},
    "sngan_cifar10": {"DATASET": "digits", "NETWORK": "digits", "BATCH_SIZE": 4, "DIM_G": 2, "DIM_D": 3,
                      "DIM_Z": 4, "EMBEDDING_DIM": 3, "N_CRITIC": 1},
    "digits_sngan": {"gen_ch": 4, "dis_ch": 3, "dim_z": 4, "batchsize": 4, "n_gen_samples": 4, "n_dis": 1},
    "digits_pggan": {"fmapBase": 16, "fmapMax": 6, "latentSize": 5, "endRes": 8, "stdDevGroup": 2,
                     "batch_table": "4:4,8:4"},
}


def trained(name: str, iterations: int = 2, **changes) -> tuple[list, dict]:
    """(all arrays after a few iterations, the last one's scalars) of a tiny run."""
    system = runs.build(experiment.load(name).replace(**{**TINY[name], **changes}))
    source = system.source()
    for step in range(iterations):
        batch = {key: tf.constant(array) for key, array in system.batch(step, source).items()}
        scalars = system.iteration(tf.constant(step, tf.int64), batch, system.phase(step))
    return [v.numpy() for network in system.networks.values() for v in network.variables], scalars


def test_every_system_that_takes_the_penalty_is_held():
    """But R-separate, which trains no D."""
    systems = {experiment.load(name).system for name in TINY}
    assert systems == {name for name, declared in registry.parameters().items()
                       if "penalty" in {parameter.name for parameter in declared}}


@pytest.mark.parametrize("name", TINY)
def test_gamma_of_zero_trains_as_no_penalty_to_the_bit(name):
    """And another gamma does not: the term is in D's step."""
    none, scalars = trained(name, penalty="none")
    zero, silent = trained(name, penalty="js", gamma=0.0, annealing=True)
    some, loud = trained(name, penalty="js", gamma=5.0)
    assert "penalty" not in scalars and "penalty" not in silent and np.isfinite(loud["penalty"])
    for a, b in zip(none, zero):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(none, some))


FACTORS = [("digits_jsreg", {}, 1.0), ("jsreg_mixture", {}, 1.0), ("jsreg_gan64", {}, 1.0),
           ("sngan_cifar10", {"LOSS_TYPE": "Goodfellow"}, 1.0), ("digits_sngan", {"loss_type": "dcgan"}, 1.0),
           ("digits_glis", {}, 1.0), ("digits_lis_iterative", {}, 1.0),
           ("digits_any", {"loss": "logistic"}, 1.0),
           ("jsreg_gan64", {"mode": "gan"}, 0.5), ("digits", {}, 0.5), ("digits_baseline", {}, 0.5)]


def own_loss(scalars: dict) -> float:
    """D's loss in the logs, without the penalty."""
    if "train disc cost" in scalars:
        return float(scalars["train disc cost"] - scalars["penalty"])
    of_lis = {name: float(value) for name, value in scalars.items()
              if name.startswith("d-") and value != ABSENT}
    if of_lis:
        return sum(of_lis.values()) / sum(name.startswith("d-real") for name in of_lis)
    return float(scalars[next(n for n in ("unreg_disc_loss", "d_cost", "d_loss", "D") if n in scalars)])


@pytest.mark.parametrize("name, changes, factor", FACTORS)
def test_the_table_of_factors(name, changes, factor, monkeypatch):
    """D's own loss over the sum of two cross-entropies of the penalty's logits; its penalty is gamma/2 times
    the regulariser in all systems. Within 2%: a step of the spectral norm, or the mean over a map of logits,
    may lie between the two."""
    entropies, terms = [], penalties.terms

    def noting(names, look, values):
        term, scalars = terms(names, look, values)
        entropies.append(losses.logistic_d(look.real.logits, look.fake.logits))
        np.testing.assert_allclose(term, 1.5 * penalties.js_of(look).value, rtol=1e-5)
        return term, scalars

    monkeypatch.setattr(penalties, "terms", noting)
    tf.config.run_functions_eagerly(True)  # the numbers are wanted, not the graph's tensors
    try:
        _, scalars = trained(name, 1, penalty="js", gamma=3.0, **changes)
    finally:
        tf.config.run_functions_eagerly(False)
    assert own_loss(scalars) == pytest.approx(factor * np.mean(entropies), rel=0.02)


@pytest.mark.parametrize("name, given, words", [
    ("jsreg_mixture", {"unreg": "True", "gamma": "3"}, ["gamma=3.0 has no effect without --penalty=js"]),
    ("jsreg_mixture", {"unreg": "True"}, []),  # gamma is the experiment's
    ("jsreg_gan64", {"mode": "wgan", "annealing": "True"},
     ["gamma=0.1 has no effect", "annealing=True has no effect"]),
    ("digits", {"annealing": "True", "r1_weight": "2"},
     ["annealing=True", "r1_weight=2.0 has no effect without --penalty=r1"]),
    ("digits", {"penalty": "js", "decay_factor": "0.5"},
     ["decay_factor=0.5 has no effect without --annealing"]),
    ("digits_pggan", {"gamma": "0.5"}, []),  # BEGAN's too
    ("jsreg_mixture", {"gamma": "3", "annealing": "True"}, []),
])
def test_values_without_effect_are_told(name, given, words):
    system = runs.build(experiment.load(name, given), training=False)
    lines = options.idle(system.params)
    assert len(lines) == len(words) and all(any(word in line for line in lines) for word in words)
