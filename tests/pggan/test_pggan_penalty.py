"""PGGAN with the Jensen-Shannon regulariser: the critic's scores are the logits, at the present level and
fade."""
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from pggan_support import SMALL, make, make_params, run

from tfgan_suite import optimizers, penalties
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.pggan.system import CriticInputs

STATISTICS = {"penalty", "gamma", "disc_regularizer", "D1_regularizer", "D2_regularizer",
              "grad_D1_logits_norm", "grad_D2_logits_norm",
              "grad_D_logits_norm"}


@pytest.fixture(scope="module")
def source():
    """Random pictures of 16x16."""
    return ArraySource(np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8))


def critic_step(monkeypatch, step, source, **flags):
    """(gradients by name that Adam gets in iteration `step`'s critic step, its losses, its scalars)."""
    system, taken = make(**flags), {}

    def note(optimizer, gradients, variables):
        taken.update({v.name: g for g, v in zip(gradients, variables)})

    monkeypatch.setattr(optimizers, "apply", note)
    real = tf.constant(system.batch(step, source)["reals"][:, 0])
    z, weight = tf.random.stateless_normal([4, 5], [1, 2]), tf.random.stateless_uniform([4, 1, 1, 1], [3, 4])
    now, phase = tf.constant(step, tf.int64), system.phase(step)
    alpha = system._alpha(now, phase.level) if phase.fading else None
    losses, scalars = system._critic_step(now, CriticInputs(real, z, weight), phase, alpha)
    fake, critic = system.networks["g"].at(phase.level, alpha)(z), system.networks["d"]
    return taken, losses, scalars, lambda: penalties.js_regularizer(
        critic.at(phase.level, alpha), real, fake), critic.trainable_variables


@pytest.mark.parametrize("step", [0, 4], ids=["stable", "mid-fade"])
def test_value_and_gradient(monkeypatch, source, step):
    """Loss and gradient of the critic grow by gamma/2 times those of `penalties.js_regularizer`, and by
    nothing else."""
    plain, losses, none, _, _ = critic_step(monkeypatch, step, source)
    found, more, scalars, regularizer, variables = critic_step(monkeypatch, step, source, penalty="js",
                                                               gamma=3.0)
    with tf.GradientTape() as tape:
        expected = regularizer()
    gradients = tape.gradient(expected.value, variables)
    assert none == {} and set(scalars) == STATISTICS and float(expected.value) > 1e-4
    np.testing.assert_allclose(more[0] - losses[0], 1.5 * expected.value, atol=2e-5)
    assert np.array_equal(more[1:], losses[1:])
    np.testing.assert_allclose(scalars["disc_regularizer"], expected.value, rtol=1e-5)
    for variable, gradient in zip(variables, gradients):
        if variable.name not in plain:
            assert gradient is None and variable.name not in found
        else:
            change = found[variable.name] - plain[variable.name]
            wanted = np.zeros(change.shape) if gradient is None else 1.5 * gradient
            np.testing.assert_allclose(change, wanted, atol=2e-5, err_msg=variable.name)


def test_annealing_and_lazy_regularisation(source):
    """Gamma goes from its start to decay_factor of it; the term is there when the original's terms rest."""
    system = make(penalty="js", gamma=2.0, annealing=True, decay_factor=0.25, lazyRegularization=2)
    last = system.iterations - 1
    assert run(system, source, 0, 1)["gamma"] == 2.0
    resting = run(system, source, 1, 2)
    assert resting["extraLoss"] == 0 and resting["disc_regularizer"] > 0
    assert run(system, source, last, last + 1)["gamma"] == pytest.approx(0.5)


def test_every_critic_step_has_it(source):
    """The scalars are means over the iteration's critic steps; those that unrollCritic undoes are not
    counted."""
    system = make(penalty="js", gamma=2.0, nCritPerGen=2, unrollCritic=1)
    assert {*STATISTICS} < set(run(system, source, 0, 1))
    assert not STATISTICS & set(run(make(), source, 0, 1))


def test_gamma_cannot_be_both():
    """BEGAN's ratio and the regulariser's weight have one name."""
    with pytest.raises(UserError, match="gamma cannot be both") as error:
        make(penalty="js", criticLossFunc="BEGAN")
    assert "\n" not in str(error.value)
    assert make(penalty="js", gamma=2.0).params.gamma == 2.0 and make().params.gamma == 0.8


@pytest.fixture
def untraced():
    """tf.functions run as plain Python: tracing takes longer than a few iterations."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_training_through_a_fade_logs_the_statistics(tmp_path, source, monkeypatch, untraced):
    """The trainer's loop from 4x4 to stable 8x8: finite, and every statistic in metrics.jsonl and
    TensorBoard."""
    from tfgan_suite.pggan.system import PGGAN
    from tfgan_suite.training.trainer import Trainer

    monkeypatch.setattr(PGGAN, "source", lambda self: source)
    flags = {**SMALL, "endRes": 8, "samplesWhileStable": 4, "samplesWhileFade": 8, "deactivateLog": True}
    params = make_params(**flags, penalty="js", gamma=2.0, annealing=True, decay_factor=0.1)
    params = params.replace(wts_dir=str(tmp_path / "w"), log_dir=str(tmp_path / "l"), log_every=1)
    assert Trainer(params, io.StringIO()).run() == 4
    rows = [json.loads(line) for line in (tmp_path / "l/metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 4 and all(set(row) > STATISTICS for row in rows)
    assert [row["gamma"] for row in rows] == pytest.approx([2 * 0.1 ** (i / 3) for i in range(4)], rel=1e-5)
    tags = {value.tag for file in (tmp_path / "l").glob("events*")
            for event in tf.compat.v1.train.summary_iterator(str(file)) for value in event.summary.value}
    assert tags > STATISTICS
    # deactivateLog: none of the original's files, and only the final weights
    assert not (tmp_path / "l/netStatus.txt").exists() and not list((tmp_path / "l").glob("*.jpg"))
    assert [path.name for path in (tmp_path / "w").glob("*.gmodel.npz")] == ["iter_4.gmodel.npz"]
