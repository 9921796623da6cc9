"""The Jensen-Shannon regulariser on the discriminator of the LIS programs."""
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from lis_support import parameters

from tfgan_suite import penalties
from tfgan_suite.layers.activations import sigmoid
from tfgan_suite.lis import history, losses
from tfgan_suite.lis.system import SYSTEMS
from tfgan_suite.training.trainer import Trainer

LOGGED = {"gamma", "penalty", "disc_regularizer", "D1_regularizer", "D2_regularizer", "grad_D1_logits_norm",
          "grad_D2_logits_norm",
          "grad_D_logits_norm"}


@pytest.mark.parametrize("system,norm,dropout", [
    ("glis", "weight", 0.5), ("glis", "batch", 0.0), ("lis_iterative", "none", 0.0)])
def test_it_changes_the_step_of_d_and_nothing_before_it(system, norm, dropout, tmp_path):
    changes = {"d_dropout": dropout} if dropout else {}
    seen, weights = [], []
    for penalty in ("none", "js"):
        params = parameters(system, tmp_path / penalty, norm=norm, penalty=penalty, gamma=50.0, **changes)
        model = SYSTEMS[system](params)
        batch = {k: tf.constant(v) for k, v in model.batch(0, model.source()).items()}
        values = model.iteration(tf.constant(0, tf.int64), batch, model.phase(0))
        seen.append({k: float(v) for k, v in values.items() if k.startswith("d-")})
        assert set(values) - set(model.losses()) == (LOGGED if penalty == "js" else set())
        weights.append(dict(model.networks["d"].arrays()))
    first = "level.0.conv.weight"
    assert not np.allclose(weights[0][first], weights[1][first], atol=1e-7)
    if system == "glis":  # one D step in an iteration: its losses are those before the step
        assert seen[0] == pytest.approx(seen[1], rel=1e-5)


def test_the_term_is_that_of_the_logits(tmp_path):
    model = SYSTEMS["glis"](parameters("glis", tmp_path, penalty="js", gamma=2.0))
    real, fake = (tf.constant(np.random.default_rng(i).random((4, 8, 8, 3)), tf.float32) for i in range(2))
    d = model.networks["d"]
    expected = penalties.js_regularizer(lambda x: d(x, training=True), real, fake).value
    *parts, whole, scalars = model.d_loss(tf.constant(0, tf.int64), real, fake)
    for part, x, target in zip(parts, (real, fake), (1.0, 0.0)):
        np.testing.assert_allclose(part, losses.bce(sigmoid(d(x, training=True)), tf.fill([4], target)),
                                   rtol=1e-5)
    np.testing.assert_allclose(whole - sum(parts), expected, rtol=1e-4)
    assert set(scalars) == LOGGED


def test_its_scalars_are_logged_and_are_no_losses_of_console_and_history(tmp_path):
    params, console = parameters("glis", tmp_path, penalty="js", gamma=0.5, log_every=1, niter=1,
                                 r_iterations=1), io.StringIO()
    trainer = Trainer(params, console)
    trainer.run()
    metrics = tmp_path / "logs" / "metrics.jsonl"
    values = next(e for e in map(json.loads, metrics.read_text().splitlines()) if "gamma" in e)
    assert values["gamma"] == 0.5
    assert values["disc_regularizer"] == pytest.approx(values["D1_regularizer"] + values["D2_regularizer"],
                                                       rel=1e-5)
    assert min(values[name] for name in LOGGED) > 0
    shown = next(line for line in console.getvalue().splitlines() if " | " in line)
    names = [word[:-1] for word in shown.split() if word.endswith(":")]
    assert names == [*trainer.system.losses(), "t_real"]  # the last: seconds for reading the images
    assert set(history.from_metrics(metrics).groups) <= {"loss-d-mix", "loss-g-mix", "loss-r-mix"}
