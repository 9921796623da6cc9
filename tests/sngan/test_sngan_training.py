"""Both systems train, resume to the bit, agree on any number of devices, and watch themselves."""
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from sngan_tiny import parameters, system

from tfgan_suite import penalties
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.layers.blocks import Maker
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.weights import Spectral
from tfgan_suite.pictures import walks
from tfgan_suite.training.trainer import Trainer

SYSTEMS = pytest.mark.parametrize("kind", ["sngan", "sngan_projection"])
ITERATIONS = {"sngan": "ITERS", "sngan_projection": "iteration"}


def train(folder, kind, iterations, **values):
    """Trains into `folder` and returns all arrays of its newest checkpoint."""
    # A schedule that ends with the run would make a shorter run another one.
    constant = {"DECAY": False} if kind == "sngan" else {"iteration_decay_start": 1000}
    values = {**constant, ITERATIONS[kind]: iterations, "wts_dir": f"{folder}/w", "log_dir": f"{folder}/l",
              "N_CRITIC" if kind == "sngan" else "n_dis": 1, **values}
    params = parameters(kind, **values)
    done = Trainer(params, io.StringIO()).run()
    files = Checkpoints(params.wts_dir)
    archives = {part: Archive(files.path(part, done)) for part in ("g", "d", "state")}
    return {f"{part}/{name}": archive[name] for part, archive in archives.items() for name in archive
            if name != "about"}


@SYSTEMS
def test_resumes_to_the_bit_and_logs(tmp_path, kind):
    whole = train(tmp_path / "whole", kind, 2)
    train(tmp_path / "parts", kind, 1)
    parts = train(tmp_path / "parts", kind, 2)
    assert set(whole) == set(parts)
    for name, value in whole.items():
        assert np.array_equal(value, parts[name]), name
    check_logs(tmp_path / "whole/l")


def check_logs(folder):
    """What a run of two iterations leaves in its log folder."""
    lines = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {"d_cost", "g_cost", "lr"} <= {name for line in lines for name in line}
    readings = [v for line in lines for name, v in line.items() if name.startswith("singular/")]
    assert readings and all(0.9 < v < 20 for v in readings)
    assert {"d_cost.png", "g_cost.png", "config.json"} <= set(os.listdir(folder))
    assert sorted(os.listdir(folder / "samples")) == ["iter_2.png"]


DEVICES = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from test_sngan_training import train
train(sys.argv[1], sys.argv[2], int(sys.argv[3]))
"""


@SYSTEMS
def test_two_devices_equal_one(tmp_path, kind):
    here = os.path.dirname(__file__)
    paths = [here, os.path.dirname(here), os.path.dirname(os.path.dirname(here))]
    iterations = {"sngan": 2, "sngan_projection": 1}[kind]  # the first of sngan has no G step
    train(tmp_path / "1", kind, iterations)
    command = [sys.executable, "-c", DEVICES, str(tmp_path / "2"), kind, str(iterations)]
    done = subprocess.run(command,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(paths),
                               "TF_CPP_MIN_LOG_LEVEL": "3"},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    rate = 0.01
    for part in ("g", "d"):
        one, two = (dict(Archive(Checkpoints(tmp_path / c / "w").path(part, iterations))) for c in ("1", "2"))
        for name, value in one.items():
            error = np.abs(value - two[name])
            assert np.max(error, initial=0) <= 2.1 * rate * iterations + 1e-4, name
            assert np.mean(error > 1e-3 * max(1.0,
                                              np.max(np.abs(value),
                                                     initial=0))) < 0.2 or value.size < 40, name


def test_halves_in_one_pass_or_two():
    for norm in (True, False):
        tiny = system(CONDITIONAL=norm)
        z, labels = tf.random.stateless_normal((6, 4), (1, 2)), tf.constant([0, 1, 2, 3, 4, 5])
        together = tiny.fakes(z, labels)
        tiny.apart = True
        np.testing.assert_allclose(together, tiny.fakes(z, labels), atol=2e-5)


@pytest.mark.parametrize("loss", ["HINGE", "Goodfellow", "WGAN", "WGAN-GP"])
def test_every_loss_takes_a_step(loss):
    for soft in (False, True):
        tiny = system(LOSS_TYPE=loss, SOFT_PLUS=soft, ACGAN=soft)
        batch = {k: tf.constant(v) for k, v in tiny.batch(1, tiny.source()).items()}
        before = [v.numpy() for v in tiny.networks["d"].trainable_variables]
        scalars = tiny.iteration(tf.constant(1, tf.int64), batch, "both")
        assert all(np.isfinite(v) for v in scalars.values())
        assert ("gradient_penalty" in scalars) == (loss == "WGAN-GP")
        assert any(np.any(a != b) for a, b in zip(before, tiny.networks["d"].trainable_variables))


def test_gradient_penalty_of_a_linear_critic():
    weights = tf.constant([[3.0], [4.0]])
    norms = penalties.norms_of(penalties.View(lambda x: x @ weights,
                                              tf.constant([[1.0, 2.0], [0.0, 1.0]])).squares)
    np.testing.assert_allclose(norms, [5.0, 5.0], rtol=1e-6)
    np.testing.assert_allclose(penalties.unit_norm_penalty(norms), 160.0, rtol=1e-6)


@SYSTEMS
def test_several_penalties(kind):
    tiny = system(kind, penalty="js,r1", gamma=2.0)
    batch = {k: tf.constant(v) for k, v in tiny.batch(1, tiny.source()).items()}
    scalars = tiny.iteration(tf.constant(1, tf.int64), batch, "both")
    assert np.isfinite(scalars["disc_regularizer"]) and np.isfinite(scalars["r1"])


def test_u_advances_where_it_may():
    layer = Maker(weight=Spectral()).dense("a", 5, 3)
    x, start = tf.eye(5), layer.extra["u"].numpy()
    layer(x)
    assert np.array_equal(layer.extra["u"], start)
    for _ in range(60):
        layer(x, Pass(update=True))
    _, s, v = np.linalg.svd(layer.kernel.numpy())
    np.testing.assert_allclose(np.abs(layer.extra["u"].numpy()[0] @ v[0]), 1.0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(layer(x), 2), 1.0, atol=1e-5)


def test_u_advances_once_a_critic_step_and_not_in_the_generator_step():
    """In the authors' code it advances in every call of D."""
    for kind, moves in (("sngan", False), ("sngan_projection", True)):
        tiny = system(kind)
        z, labels = tf.ones((4, tiny.dim_z)), tf.zeros(4, tf.int32)
        before = {name: v.numpy() for name, v in tiny.networks["d"].named().items() if name.endswith("/u")}
        tiny.generator_step(z, labels, tf.constant(0.0))
        after = tiny.networks["d"].named()
        assert before and all(np.array_equal(v, after[n]) != moves for n, v in before.items() if v.size > 1)


def test_older_names_of_u():
    one, other = (system(seed=seed).networks["d"] for seed in (0, 1))
    older = {name.replace("/filters/spectral_norm/u", "/spectral_norm/u"): v for name, v in one.arrays()}
    assert set(older) != set(one.shapes())
    other.assign(older)
    assert all(np.array_equal(v, dict(other.arrays())[name]) for name, v in one.arrays())


def test_logged_names_of_singular_values():
    names = {name for name, _, _ in system().networks["d"].spectral_weights()}
    assert {"Discriminator/D.Block.1.Conv1/filters", "Discriminator/D.Output"} <= names
    weights = {name: (matrix, u) for name, matrix,
               u in system("sngan_projection").networks["d"].spectral_weights()}
    assert {"block1/c1", "l_y"} <= set(weights)
    for matrix, u in weights.values():
        assert u.shape == (1, matrix.shape[1])


def test_unconditional_has_no_labels():
    tiny = system(CONDITIONAL=False)
    assert not any("mbedding" in name for n in tiny.networks.values() for name in n.named())
    assert tiny.labels(6, 0) is None and tiny.generate(tiny.latents(3, 0)).shape == (3, 16, 16, 3)
    original = system(CONDITIONAL=False, LABEL_IN_D=True)
    assert "Discriminator/D.Embedding_y/W" in original.networks["d"].named()


@SYSTEMS
def test_sampling(kind):
    tiny = system(kind, training=False)
    latents = tiny.latents(7, 3)
    assert np.array_equal(latents[:2], tiny.latents(2, 3)) and not np.array_equal(latents, tiny.latents(7, 4))
    sheet = tiny.generate(latents, np.arange(7))
    assert sheet.shape == (7, 16, 16, 3) and np.max(np.abs(sheet)) <= 1
    weights = np.eye(10, dtype=np.float32)[np.arange(7)]
    assert np.array_equal(sheet, tiny.generate(latents, weights))
    many = tiny.generate(tiny.latents(230, 3), np.arange(230) % 10)
    assert many.shape == (230, 16, 16, 3)
    strips = walks.strips(tiny, [(1, 2)], 0, 5, (3, 8))
    assert strips.shape == (1, 5, 16, 16, 3) and strips.dtype == np.uint8
    assert tiny.pictures(0)["samples"].shape == (160, 160, 3)


@SYSTEMS
def test_bfloat16_stays_near(kind):
    policy = tf.keras.mixed_precision.global_policy()
    try:
        costs = []
        for name in ("float32", "mixed_bfloat16"):
            tf.keras.mixed_precision.set_global_policy(name)
            tiny = system(kind, precision=name.removeprefix("mixed_"))
            batch = {k: tf.constant(v) for k, v in tiny.batch(1, tiny.source()).items()}
            costs.append(tiny.iteration(tf.constant(1, tf.int64), batch, "both"))
            assert all(v.dtype == tf.float32 for n in tiny.networks.values() for v in n.variables)
        for name, value in costs[0].items():
            assert abs(float(costs[1][name]) - float(value)) < 0.1 * max(1.0, abs(float(value))), name
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)
