"""Where a combination equals a port's setting, the neutral system gives the port's numbers, with the port's
networks."""
import numpy as np
import pytest
import tensorflow as tf
from test_gan_pairs import make

from tfgan_suite import losses
from tfgan_suite.experiment import Parameters, declared
from tfgan_suite.gan.system import Phase
from tfgan_suite.layers.projections import Filters, Projected
from tfgan_suite.registry import system_class
from tfgan_suite.rpgan import filters, networks
from tfgan_suite.rpgan.bank import Discriminators

STEP = tf.constant(0, tf.int64)


def port(name: str, **values):
    """A tiny system of a port, in training."""
    known = declared(name)
    chosen = {n: known[n].convert(values[n], "test") if n in values else p.default for n, p in known.items()}
    return system_class(name)(Parameters("tiny", {**chosen, "system": name}, {}, known))


def images(n: int, side: int, seed: int = 0) -> list:
    draw = np.random.default_rng(seed)
    return [tf.constant(draw.uniform(-1, 1, (n, side, side, 3)).astype(np.float32)) for _ in range(2)]


def costs_and_gradients(system, d, real, fake, labels=None, middle=None, penalised=True):
    """The neutral system's costs of one discriminator, and the gradients of their total."""
    with tf.GradientTape() as tape:
        found = system._alone(d, STEP, real, labels, fake, labels, middle, Phase(penalised))
    return found, tape.gradient(found["total"], d.trainable_variables)


def same(gradients, expected) -> None:
    for found, known in zip(gradients, expected):
        assert (found is None) == (known is None)
        if known is not None:
            np.testing.assert_allclose(found, known, rtol=2e-3,
                                       atol=2e-5 * float(tf.reduce_max(tf.abs(known))) + 1e-9)


def test_hinge_with_spectral_norm_is_sngan():
    sngan = port("sngan", DATASET="digits", NETWORK="digits", BATCH_SIZE=4, DIM_G=2, DIM_D=3, DIM_Z=4,
                 EMBEDDING_DIM=3)
    d, (real, fake), labels = sngan.networks["d"], images(4, 16), tf.constant([0, 1, 2, 3])
    for _ in range(300):  # u at rest, so that one pass over both batches and two passes see the same weights
        d(real, labels, training=True)
    with tf.GradientTape() as tape:
        cost, _ = sngan.critic_cost(real, fake, labels, update=False)
    expected = tape.gradient(cost, d.trainable_variables)
    found, gradients = costs_and_gradients(make(loss="hinge", classes=10), d, real, fake, labels)
    assert float(found["d_loss"]) == pytest.approx(float(cost), rel=1e-5)
    same(gradients, expected)


def test_logistic_with_js_is_the_js_regularised_dcgan():
    dcgan = port("jsreg_dcgan", dataset="digits", output_height=16, z_dim=4, gf_dim=2, df_dim=2, batch_size=4,
                 gamma=2.0)
    d, (real, fake) = dcgan.networks["d"], images(4, 16)
    with tf.GradientTape() as tape:
        known = dcgan.d_losses(real, fake, None, {"gamma": tf.constant(2.0)})
    expected = tape.gradient(known["disc_loss"], d.trainable_variables)
    found, gradients = costs_and_gradients(make(loss="logistic", penalty="js", gamma=2.0), d, real, fake)
    assert float(found["total"]) == pytest.approx(float(known["disc_loss"]), rel=1e-5)
    assert float(found["disc_regularizer"]) == pytest.approx(float(known["disc_regularizer"]), rel=1e-5)
    same(gradients, expected)


def test_wasserstein_with_gradient_penalty_is_wgan_gp():
    gan64 = port("jsreg_gan64", dataset="digits", architecture="DCGAN", mode="wgan-gp", DIM=2, batch_size=4)
    d, (real, _) = gan64.networks["d"], images(4, 64)
    z, alpha = tf.random.stateless_normal((4, 128), (1, 2)), tf.constant([[0.1], [0.4], [0.6], [0.9]])
    with tf.GradientTape() as tape:
        cost, _ = gan64.discriminator_cost(real, z, {}, alpha)
    expected = tape.gradient(cost, d.trainable_variables)
    fake = gan64.networks["g"](z, training=True)
    middle = real + alpha[:, :, None, None] * (fake - real)
    found, gradients = costs_and_gradients(make(loss="wasserstein", penalty="wgan_gp",
                                                gp_weight=gan64.params.LAMBDA), d,
                                           real, fake, middle=middle)
    assert float(found["total"]) == pytest.approx(float(cost), rel=1e-5)
    same(gradients, expected)


def test_logistic_behind_projections_is_rpgan():
    arrays = filters.make(["4,2,1,3"], 0)
    given = [Filters(np.stack([arrays[f"p{i}"] for i in range(3)]), 2)]
    bank = Discriminators(16, 4, given)
    plain = Projected(given, lambda i, channels: networks.discriminator(f"c{i}_", 8, channels, 4))
    plain.assign(dict(bank.arrays()))
    real, fake = images(4, 16)
    known, _, _ = bank.losses(real, fake)
    system = make(loss="logistic")
    found = [system._alone(member, STEP, real, None, fake, None, None, Phase(False))["d_loss"]
             for member in plain.members()]
    # RP-GAN halves its discriminators' loss.
    np.testing.assert_allclose(tf.stack(found) / 2.0, known, rtol=1e-5)


def test_relativistic_loss_with_both_penalties_is_r3gan():
    """R3GAN (arXiv 2501.05441, equations 2 and 5): softplus of the paired difference, r/2 |grad|^2 at
    both."""
    real, fake = images(4, 16)
    system = make(loss="relativistic", penalty="r1,r2", r1_weight=0.5, r2_weight=0.5)
    d = system.networks["d"]
    found, _ = costs_and_gradients(system, d, real, fake)

    def squares(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(d(x, training=True, update=False))
        return np.sum(np.square(tape.gradient(total, x)), axis=(1, 2, 3))

    difference = (d(real) - d(fake)).numpy()
    expected = np.mean(np.log1p(np.exp(-difference))) + 0.25 * (np.mean(squares(real))
                                                                + np.mean(squares(fake)))
    assert float(found["total"]) == pytest.approx(float(expected), rel=1e-4)
    assert losses.LOSSES["relativistic"].paired
