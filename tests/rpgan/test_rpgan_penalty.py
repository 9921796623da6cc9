"""RP-GAN with the Jensen-Shannon regulariser on each discriminator."""
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from tiny import workplace

from tfgan_suite import experiment, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.layers.projections import Filters, draw_filters
from tfgan_suite.rpgan import filters
from tfgan_suite.rpgan.bank import Discriminators
from tfgan_suite.rpgan.stack import Stack
from tfgan_suite.training.trainer import Trainer


@pytest.mark.parametrize("count", [1, 3])
def test_each_discriminator_gets_its_own_regulariser(count):
    arrays = filters.make([f"8,2,1,{count}"], 0)
    projection = Filters(np.stack([arrays[f"p{i}"] for i in range(count)]), 2)
    d = Discriminators(16, 4, [projection], chunk=1)
    draw = np.random.default_rng(0)
    real, fake = (tf.constant(draw.uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)) for _ in range(2))

    def penalty(look):
        found = penalties.js_of(look)
        return found.value, {"real": found.real, "fake": found.fake}

    losses, plain, nothing = d.losses(real, fake)
    same, gradients, shown = d.losses(real, fake, penalty)
    assert nothing == {} and list(shown) == ["real", "fake"]
    np.testing.assert_allclose(same, losses, rtol=1e-6)  # of the penalty's own passes
    for i in range(count):
        with tf.GradientTape() as tape:
            found = penalties.js_regularizer(lambda x, i=i: tf.reshape(d(x)[i], [-1]), real, fake)
            value = found.value
        np.testing.assert_allclose([shown["real"][i], shown["fake"][i]], [found.real, found.fake], rtol=1e-4)
        for g, p, expected in zip(gradients, plain, tape.gradient(value, d.trainable_variables)):
            np.testing.assert_allclose((g - p)[i], tf.zeros_like(p[i]) if expected is None else expected[i],
                                       atol=2e-5)


@pytest.mark.parametrize("system", ["rpgan", "rpgan_baseline"])
def test_it_trains_with_the_regulariser(tmp_path, monkeypatch, system):
    workplace(tmp_path, monkeypatch)
    weights, logged = [], []
    for penalty in ("none", "js"):
        short = {"MAXITER": "2", "log_every": "1", "wts_dir": penalty, "log_dir": f"logs/{penalty}"}
        params = experiment.load("tiny", {"penalty": penalty, "gamma": "5", **short}, system)
        trainer = Trainer(params, io.StringIO())
        trainer.run()
        weights.append(dict(trainer.system.networks["d"].arrays()))
        lines = (tmp_path / f"logs/{penalty}/metrics.jsonl").read_text().splitlines()
        logged.append(json.loads(lines[-1]))
    name = "c0_0_w" if system == "rpgan" else "c0_w"
    assert not np.array_equal(weights[0][name], weights[1][name])
    assert set(penalties.JS_SCALARS) <= set(logged[-1]) and not set(penalties.JS_SCALARS) & set(logged[0])
    assert logged[-1]["gamma"] == 5 and logged[-1]["disc_regularizer"] > 0


def test_the_loss_takes_the_logits_of_the_penaltys_passes(monkeypatch):
    """One pass over the real images and one over the fakes, for the loss, js, r1 and r2 together."""
    projection = draw_filters("4,2,1,2", 0)
    d, passes = Discriminators(16, 4, [projection], chunk=1), []
    plain = Stack.logits
    monkeypatch.setattr(Stack, "logits", lambda self, *rest: passes.append(1) or plain(self, *rest))
    real, fake = tf.random.stateless_normal([3, 16, 16, 3],
                                            [0, 1]), tf.random.stateless_normal([3, 16, 16, 3], [0, 2])

    def penalty(look):
        return penalties.terms(("js", "r1", "r2"), look, {"gamma": 2.0, "r1_weight": 1.0, "r2_weight": 1.0})

    _, _, shown = d.losses(real, fake, penalty)
    assert len(passes) == 2 * d.count and {"r1", "r2", "disc_regularizer"} <= set(shown)


def test_a_chunk_beside_a_penalty_is_refused(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    with pytest.raises(UserError, match="chunk=2: --penalty=js looks at one discriminator at a time"):
        Trainer(experiment.load("tiny", {"penalty": "js", "chunk": "2"}), io.StringIO())
