"""The projection (and concat) discriminator against the authors' Chainer code: fixtures `proj_*`, one
training step of each network with all state, and trajectories."""
import ast

import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from sngan_models import gradients_match, parameters

from tfgan_suite import losses
from tfgan_suite.sngan.projection.networks import TABLES
from tfgan_suite.sngan.projection.system import LOSS_NAMES, SNGANProjection

FILES = golden.each("sngan", "proj_*.npz")
NETWORKS = {("resnet_32", "snresnet_32"): "32", ("resnet_64", "snresnet_64"): "64",
            ("resnet", "snresnet"): "128",
            ("resnet_small", "snresnet_small"): "small128", ("resnet_256", "snresnet_256"): "256"}


def open_model(path):
    """(arrays, configuration, system with the fixture's weights)."""
    arrays = golden.load(path)
    config = ast.literal_eval(str(arrays["meta/config"]))
    concat = "Concat" in config["dis_class"]
    params = parameters("sngan_projection", network=NETWORKS[config["gen"], config["dis"]], concat=concat,
                        gen_ch=config["ch_g"], dis_ch=config["ch_d"], n_classes=config["n_classes"],
                        dim_z=config["dim_z"],
                        dim_emb=config["dis_kwargs"].get("dim_emb", 128), batchsize=config["batch"],
                        n_dis=config["n_dis"],
                        n_gen_samples=config["n_gen_samples"], loss_type=config["loss"],
                        alpha=config["alpha"],
                        beta1=config["beta1"], beta2=config["beta2"])
    system = SNGANProjection(params)
    restore(system, arrays)
    return arrays, config, system


def restore(system, arrays):
    """Weights and state as at the start of the fixture."""
    for kind, network in system.networks.items():
        mine = {**golden.under(arrays, f"{kind}/param/"), **golden.under(arrays, f"{kind}/state/")}
        assert set(mine) == set(network.shapes())
        network.assign(mine)


def images(arrays, prefix):
    """Real images NHWC of a fixture's NCHW bytes and noise."""
    real, noise = (arrays[f"{prefix}/{k}"].transpose(0, 2, 3, 1) for k in ("x_real_u8", "dequant"))
    return SNGANProjection.dequantise(tf.constant(real), tf.constant(noise))


def state_matches(network, expected, atol=1e-5):
    """Averages and u within `atol` of their size."""
    arrays = dict(network.arrays())
    for name, value in expected.items():
        golden.close(arrays[name], value, atol * max(1.0, float(np.max(np.abs(value)))), name)


def as_chainer(network, gradients):
    """Gradients in the fixture's layouts."""
    for variable, gradient in zip(network.trainable_variables, gradients):
        name = variable.name.split(":")[0]
        yield name, np.transpose(gradient, network.convention.axes(name, gradient.shape.rank))


class _Named:
    def __init__(self, name):
        self.name = name


def chainer_gradients_match(network, gradients, expected):
    pairs = list(as_chainer(network, gradients))
    gradients_match([g for _, g in pairs], [_Named(n) for n, _ in pairs], expected)


def flat(x):
    """[n, C * H * W] of NHWC images."""
    return x.numpy().transpose(0, 3, 1, 2).reshape(len(x), -1)


def inputs(arrays, prefix, *names):
    """Recorded latents and labels; an unconditional trajectory has no labels."""
    return [tf.constant(arrays.get(f"{prefix}/{name}", np.zeros(1, np.int32))) for name in names]


@FILES
def test_generator(path):
    arrays, config, system = open_model(path)
    g, z, y = system.networks["g"], tf.constant(arrays["in/z"]), tf.constant(arrays["in/y_fake"])
    still = flat(g(z, y, training=False))
    fake = flat(g(z, y, training=True))
    every = next(s for s in range(1, 64) if -(-fake.shape[1] // s) == arrays["out/fake_train"].shape[1])
    golden.close(fake[:, ::every], arrays["out/fake_train"], 1e-4, "fake_train")
    state_matches(g, golden.under(arrays, "after_fwd/g/state/"))
    golden.close(still[:, ::every], arrays["out/fake_eval"], 1e-4, "fake_eval")
    assert TABLES[system.params.network].size == config["size"]


@FILES
def test_discriminator_step(path):
    arrays, config, system = open_model(path)
    g, d = system.networks["g"], system.networks["d"]
    z, y_fake, y_real = (tf.constant(arrays[f"in/{k}"]) for k in ("z", "y_fake", "y_real"))
    real, fake = images(arrays, "in"), g(z, y_fake, training=True)
    with tf.GradientTape() as tape:
        on_real = d(real, y_real, training=True)
        state_matches(d, golden.under(arrays, "after_real/d/state/"))
        on_fake = d(fake, y_fake, training=True)
        cost = system.loss.discriminator(on_real, on_fake)
    state_matches(d, golden.under(arrays, "after_fake/d/state/"))
    for name, value in (("dis_real", on_real), ("dis_fake", on_fake)):
        expected = arrays[f"out/{name}"]
        golden.close(value[:, None], expected, 1e-5 + 1e-4 * float(np.max(np.abs(expected))), name)
    for name, ours in LOSS_NAMES.items():
        expected = float(arrays[f"out/loss_dis_{name}"])
        golden.close(losses.LOSSES[ours].discriminator(on_real, on_fake), expected,
                     1e-5 * max(1.0, abs(expected)), name)
    expected = golden.under(arrays, "d/grad/")
    chainer_gradients_match(d, tape.gradient(cost, d.trainable_variables), expected)


@FILES
def test_generator_step(path):
    arrays, _, system = open_model(path)
    g, d = system.networks["g"], system.networks["d"]
    z, y = tf.constant(arrays["in/z"]), tf.constant(arrays["in/y_fake"])
    with tf.GradientTape() as tape:
        on_fake = d(g(z, y, training=True), y, training=True)
        cost = system.loss.generator(on_fake)
    golden.close(on_fake[:, None], arrays["out/dis_fake_first"], 1e-5 + 1e-4 * float(np.max(np.abs(on_fake))),
                 "dis_fake_first")
    for name, ours in LOSS_NAMES.items():
        expected = float(arrays[f"out/loss_gen_{name}"])
        golden.close(losses.LOSSES[ours].generator(on_fake), expected, 1e-5 * max(1.0, abs(expected)), name)
    chainer_gradients_match(g, tape.gradient(cost, g.trainable_variables), golden.under(arrays, "g/grad/"))


@FILES
def test_trajectory(path):
    arrays, config, system = open_model(path)
    if "traj/loss_gen" not in arrays:
        pytest.skip("no trajectory in this file")
    costs = {"gen": [], "dis": []}
    rate = tf.constant(config["alpha"], tf.float32)
    for t in range(len(arrays["traj/loss_gen"])):
        z, y = inputs(arrays, f"traj/{t}/g", "z", "y")
        costs["gen"].append(float(system.generator_step(z, y, rate)["g_cost"]))
        for j in range(config["n_dis"]):
            at = f"traj/{t}/d{j}"
            labels, z, y = inputs(arrays, at, "y_real", "z", "y_fake")
            step = tf.constant(t, tf.int64)
            costs["dis"].append(float(system.critic_step(images(arrays, at), labels, z, y, rate,
                                                         step)["d_cost"]))
    for kind, name in (("gen", "loss_gen"), ("dis", "loss_dis")):
        expected = arrays[f"traj/{name}"]
        golden.close(costs[kind], expected, 2e-4 * max(1.0, float(np.max(np.abs(expected)))), name)
    steps = {"g": len(costs["gen"]), "d": len(costs["dis"])}
    for kind, network in system.networks.items():
        mine = dict(network.arrays())
        for name, value in golden.under(arrays, f"traj/final/{kind}/param/").items():
            error = np.abs(mine[name] - value)
            assert np.max(error) <= 2 * config["alpha"] * steps[kind] + 1e-6, name
            if not (kind == "g" and name.endswith("/b")):
                assert np.sum(error > 1e-4) <= max(0.01 * error.size,
                                                   8), f"{name}: {np.sum(error > 1e-4)} of {error.size}"
        for name, value in golden.under(arrays, f"traj/final/{kind}/state/").items():
            golden.close(mine[name], value, 2e-2 * max(1.0, float(np.max(np.abs(value)))), name)
