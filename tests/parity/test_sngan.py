"""SNGAN against watsonyanghx/GAN_Lib_Tensorflow: whole models, one step, trajectories, checkpoint. Fixtures
`cifar_*`, `imagenet*` and `ckpt_expected*`; their README explains every key and gives the tolerances."""
import ast
import re

import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from sngan_models import gradients_match, interleave, parameters, separate, weights_match

from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.sngan.gan_lib import convert
from tfgan_suite.sngan.gan_lib.system import SNGAN

MODELS = golden.each("sngan", "cifar_*.npz", "imagenet*.npz")


def configuration(arrays):
    """(parameters, fixed label embedding or None) of a model file."""
    text = re.sub(r"'WORD2VEC_FILE': \(.*\)\.astype\('float32'\)", "'WORD2VEC_FILE': True",
                  str(arrays["meta/config"]))
    config = ast.literal_eval(text)
    network = config.pop("which", "cifar")
    table = arrays["var/Discriminator/Embedding.Label/embedding_map"] if config.pop("WORD2VEC_FILE",
                                                                                    None) else None
    classes = next(v.shape[0] for n, v in arrays.items()
                   if n.endswith("Discriminator/Embedding.Label/embedding_map"))
    run = {"cifar": {"ITERS": 100000},
           "imagenet": {"ITERS": 450000, "DECAY_RULE": "imagenet_original", "DECAY_START": 400000}}
    return parameters("sngan", NETWORK=network, DIM_Z=config.pop("Z"), VOCAB_SIZE=classes, LABEL_IN_D=True,
                      **run[network],
                      **config), table


def open_model(path):
    """(arrays, system with the fixture's weights)."""
    arrays = golden.load(path)
    params, table = configuration(arrays)
    system = SNGAN(params, table=table)
    system.apart = (
        True  # ReLUs near zero flip with the last bit, so the original's order of operations is kept here
    )
    variables = golden.under(arrays, "var/")
    for kind, scope in (("g", "Generator/"), ("d", "Discriminator/")):
        mine = {n: v for n, v in variables.items() if n.startswith(scope)}
        assert set(mine) == set(system.networks[kind].shapes())
        system.networks[kind].assign(mine)
    return arrays, system


def critic_inputs(arrays, prefix, system):
    """(real, labels, z) with the rows in our order: even rows are the original's first half."""
    shape = (-1, 3, 32, 32) if system.size == 32 else (-1, system.size, system.size, 3)
    real, noise = (arrays[f"{prefix}/{k}"].reshape(shape) for k in ("real", "dequant"))
    if system.size == 32:
        real, noise = real.transpose(0, 2, 3, 1), noise.transpose(0, 2, 3, 1)
    real = system.dequantise(tf.constant(real), tf.constant(noise))
    return (tf.constant(interleave(real.numpy())), tf.constant(interleave(arrays[f"{prefix}/labels"])),
            tf.constant(interleave(arrays[f"{prefix}/z_d"])))


def generator_inputs(arrays, prefix, classes):
    labels = (arrays[f"{prefix}/label_u"] * np.float32(classes)).astype(np.int32)
    return tf.constant(interleave(arrays[f"{prefix}/z_g"])), tf.constant(interleave(labels))


def total_cost(system, costs):
    """What the step minimised."""
    if "g_cost" in costs:
        return float(costs["g_cost"])
    return float(costs["d_cost"]) + system.params.ACGAN_SCALE * float(costs.get("acgan", 0.0))


@MODELS
def test_critic_step(path):
    arrays, system = open_model(path)
    real, labels, z = critic_inputs(arrays, "in", system)
    fake = system.fakes(z, labels)
    flat = separate(fake.numpy()).reshape(len(z), -1)
    every = next(s for s in range(1, 64) if -(-flat.shape[1] // s) == arrays["out/fake"].shape[1])
    golden.close(flat[:, ::every], arrays["out/fake"], 1e-5 + 1e-4, "fake")
    if "out/real" in arrays:
        golden.close(separate(real.numpy()).reshape(len(z), -1), arrays["out/real"], 1e-6, "real")
    before = {n: v.numpy() for n, v in system.networks["d"].named().items() if n.endswith("/u")}
    logits, classes = system.verdict(tf.concat([real, fake], 0), tf.concat([labels, labels], 0))
    expected = arrays["out/disc_all"]
    n = len(z)
    golden.close(np.concatenate([separate(logits[:n].numpy()), separate(logits[n:].numpy())]), expected,
                 1e-5 + 1e-4 * np.max(np.abs(expected)), "disc_all")
    assert all(np.array_equal(v, system.networks["d"].named()[n]) for n, v in before.items())
    if classes is not None:
        both = np.concatenate([separate(classes[:n].numpy()), separate(classes[n:].numpy())])
        golden.close(both, arrays["out/disc_all_acgan"], 1e-4, "disc_all_acgan")
    variables = system.networks["d"].trainable_variables
    with tf.GradientTape() as tape:
        cost, costs = system.critic_cost(real, fake, labels, update=True)
    gradients_match(tape.gradient(cost, variables), variables, golden.under(arrays, "grad_d/"),
                    arrays["meta/no_grad_d"])
    golden.close(cost, arrays["out/disc_cost"], 1e-5 * max(1.0, abs(float(arrays["out/disc_cost"]))),
                 "disc_cost")
    for ours, theirs in (("d_cost", "disc_wgan"), ("acgan", "disc_acgan"), ("acc_real", "disc_acgan_acc"),
                         ("acc_fake", "disc_acgan_fake_acc")):
        if ours in costs:
            golden.close(costs[ours], arrays[f"out/{theirs}"], 2e-5, theirs)
    named = {**system.networks["g"].named(), **system.networks["d"].named()}
    for name, value in golden.under(arrays, "after_d/").items():
        golden.close(named[name], value, 1e-5 * max(1.0, np.max(np.abs(value))), name)


@MODELS
def test_generator_step(path):
    arrays, system = open_model(path)
    z, labels = generator_inputs(arrays, "in", system.label_count)
    variables = system.networks["g"].trainable_variables
    with tf.GradientTape() as tape:
        cost, costs = system.generator_cost(z, labels)
    golden.close(cost, arrays["out/gen_cost"], 1e-5 * max(1.0, abs(float(arrays["out/gen_cost"]))),
                 "gen_cost")
    if "out/gen_acgan_costs" in arrays:
        golden.close(costs["g_acgan"], arrays["out/gen_acgan_costs"].mean(), 1e-5, "gen_acgan")
    gradients_match(tape.gradient(cost, variables), variables, golden.under(arrays, "grad_g/"),
                    arrays["meta/no_grad_g"])


@MODELS
def test_trajectory(path):
    arrays, system = open_model(path)
    if "traj/iterations" not in arrays:
        pytest.skip("no trajectory in this file")
    params = system.params.replace(LR=float(arrays["traj/lr"]))
    system.params = params
    atol = 2e-5 if params.NETWORK == "cifar" else 2e-4
    seen = {"gen": [], "disc": []}
    for i, iteration in enumerate(arrays["traj/iterations"]):
        step = tf.constant(int(iteration), tf.int64)
        rate = system.rate(step)
        if i:
            inputs = generator_inputs(arrays, f"traj/g{i}", system.label_count)
            costs = system.generator_step(*inputs, rate)
            seen["gen"].append(total_cost(system, costs))
        for j in range(int(arrays["traj/n_critic"])):
            real, labels, z = critic_inputs(arrays, f"traj/d{i}_{j}", system)
            costs = system.critic_step(real, labels, z, tf.zeros(len(z)), rate, step)
            seen["disc"].append(total_cost(system, costs))
    golden.close(seen["gen"], arrays["traj/gen_cost"], atol, "gen_cost")
    golden.close(seen["disc"], arrays["traj/disc_cost"], atol, "disc_cost")
    steps = {"Generator/": len(seen["gen"]), "Discriminator/": len(seen["disc"])}
    named = {**system.networks["g"].named(), **system.networks["d"].named()}
    drifts = r"Discriminator/D\.Output/b" + r"|Generator/(?!G\.Output/).*/Biases" * params.NORMALIZATION_G
    weights_match(named, golden.under(arrays, "traj/var/"), params.LR, steps, drifts)


@golden.each("sngan", "ckpt_expected*.npz")
def test_checkpoint_of_the_original(path, tmp_path):
    arrays = golden.load(path)
    params, _ = configuration({**arrays,
                               "var/Discriminator/Embedding.Label/embedding_map": np.zeros((10, 0))})
    source = golden.folder("sngan") / "files/ckpt/model.ckpt-999"
    converted = convert.convert(str(source), params)
    names = list(arrays["names"])
    for kind in ("g", "d"):
        for name, value in converted[kind].items():
            k = names.index(name)
            assert str(list(value.shape)) == arrays["shapes"][k]
            golden.close(np.sum(value, dtype=np.float64), arrays["sums"][k], 1e-4, name)
            golden.close(np.sum(np.abs(value), dtype=np.float64), arrays["abs_sums"][k], 1e-4, name)
    system = SNGAN(params)
    for kind in ("g", "d"):
        system.networks[kind].assign(converted[kind])
    samples = system.generate(arrays["fixed_noise"], arrays["fixed_labels"])
    if "samples_sub16" in arrays:
        golden.close(samples.reshape(len(samples), -1)[:, ::16], arrays["samples_sub16"], 1e-4, "samples")
    few = arrays["samples_int"]
    bytes_ = system.to_uint8(samples).reshape(len(samples), -1)[:len(few)]
    golden.close(bytes_.astype(int), few.astype(int), 1, "samples_int")
    real, labels, z = critic_inputs(arrays, "in", system)
    fake = system.fakes(z, labels)
    cost, _ = system.critic_cost(real, fake, labels, update=False)
    golden.close(cost, arrays["out/disc_cost"], 2e-5, "disc_cost")
    state = system.state()
    assert set(converted["state"]) == set(state)
    for name, variable in state.items():
        variable.assign(converted["state"][name])
    files = Checkpoints(tmp_path)
    files.save(1000, system.networks, state, {"iteration": 1000})
    assert files.complete() == [1000]
    steps = int(system.optimizers["d"].iterations)
    assert steps > 0
    assert np.isfinite(float(system.critic_step(real, labels, z, tf.zeros(len(z)),
                                                system.rate(tf.constant(1000)),
                                                tf.constant(1000))["d_cost"]))
    assert int(system.optimizers["d"].iterations) == steps + 1
