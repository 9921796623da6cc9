"""The mixture port against numbers recorded from the original `3DGAN` program
(golden/jsreg_3dgan/README.md)."""
import re

import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from jsreg_helpers import each_with, parameters, weights

from tfgan_suite import penalties, registry
from tfgan_suite.jsreg.mixture import events, geometry, plots
from tfgan_suite.jsreg.mixture.system import JSRegMixture

SYSTEM = "jsreg_3dgan"
TRAINING = each_with(SYSTEM, "argv")
LOSSES = {"disc_loss": "disc_loss", "d_loss_unreg": "unreg_disc_loss", "disc_reg": "disc_regularizer"}


def options(argv: str) -> dict:
    """The original's command line (`--name=value`, `--name value`, `--switch`) as parameters; `root_dir` is
    none of ours."""
    declared = {p.name: p for p in registry.parameters()["jsreg_mixture"]}
    found = dict(re.findall(r"--(\w+)(?:[= ]([^-\s]\S*))?", argv))
    return {name: declared[name].convert(value or True, "argv") for name, value in found.items()
            if name in declared}


class Recorded:
    """One training fixture, and the system that its command line describes, with its weights."""

    def __init__(self, path):
        self.arrays = golden.load(path)
        z_dim, hidden = self.arrays["init/generator/W1"].shape
        argv = " ".join(map(str, np.ravel(self.arrays["argv"])))
        sizes = {"hidden": hidden, "z_dim": z_dim, "batch_size": len(self.arrays["in/z"])}
        self.system = JSRegMixture(parameters("jsreg_mixture", **{**options(argv), **sizes}))
        for kind, scope in (("g", "generator/"), ("d", "discriminator/")):
            arrays = golden.under(self.arrays, f"init/{scope}")
            self.system.networks[kind].assign({scope + name: value for name, value in arrays.items()})

    def tensor(self, name):
        return tf.constant(self.arrays[name], tf.float32)

    def d_step(self, at, gamma):
        scalars = self.system.d_step(self.tensor(at + "data3d"), self.tensor(at + "z"),
                                     weights(self.system.params, gamma))
        for name, ours in LOSSES.items():
            if at + name in self.arrays:
                expected = self.arrays[at + name]
                # float32 rounds relatively
                golden.close(scalars[ours], expected, 2e-5 * max(1.0, expected), at + name)


@TRAINING
def test_forward_losses_and_gradients(path):
    recorded = Recorded(path)
    system, a = recorded.system, recorded.arrays
    z, real = recorded.tensor("in/z"), recorded.tensor("in/data3d")
    g, d = system.networks["g"], system.networks["d"]
    fake = g(z)
    with tf.GradientTape(persistent=True) as tape:
        losses = system.d_losses(real, fake, weights(system.params, a["in/gamma"]))
        g_loss = system.g_loss(z)
    found = {"gen_x": fake, "D1_logits": d(real), "D2_logits": d(fake), "D1": tf.sigmoid(d(real)),
             "D2": tf.sigmoid(d(fake)),
             "gen_loss": g_loss, **{name: losses[ours] for name, ours in LOSSES.items() if ours in losses}}
    found = {name: value for name, value in found.items() if f"out/{name}" in a}
    assert len(found) >= 6
    for name, value in found.items():
        expected = a[f"out/{name}"]
        golden.close(np.reshape(value, expected.shape), expected, 1e-5 * max(1.0, np.abs(expected).max()),
                     name)
    for x, name in ((real, "grad_D1_logits_wrt_x"), (fake, "grad_D2_logits_wrt_G")):
        if f"out/{name}" in a:
            golden.gradient_close(penalties.View(d, x).gradient, a[f"out/{name}"], 2e-5, name)
    targets = {"d_loss_unreg": (losses["unreg_disc_loss"], d), "d_loss_total": (losses["disc_loss"], d),
               "g_loss": (g_loss, g)}
    if "disc_regularizer" in losses:
        targets["d_reg"] = (losses["disc_regularizer"], d)
    for key, (loss, network) in targets.items():
        expected = golden.under(a, f"out/grad_{key}/")
        largest = max((float(np.abs(v).max()) for v in expected.values()), default=0.0)
        found = tape.gradient(loss, network.trainable_variables, unconnected_gradients="zero")
        for v, gradient in zip(network.trainable_variables, found):
            name = v.name.split(":")[0]
            if name in expected:
                golden.close(gradient, expected[name], 2e-5 * largest, f"{key}/{name}")


@TRAINING
def test_trajectory(path):
    recorded = Recorded(path)
    system, a = recorded.system, recorded.arrays
    p = system.params
    assert len({k.split("/")[1] for k in a if k.startswith("pre/")}) == p.disc_pretrain_steps
    for i in range(p.disc_pretrain_steps):
        assert float(a.get(f"pre/{i}/gamma", p.gamma)) == pytest.approx(p.gamma)
        recorded.d_step(f"pre/{i}/", p.gamma)
    rounds = sorted({int(k.split("/")[1]) for k in a if k.startswith("traj/")})
    for i in rounds:
        step = p.disc_pretrain_steps + i - 1
        assert system.place(step + 1) == (0, i)
        for k in range(p.disc_update_steps):
            at = f"traj/{i}/d{k}/"
            gamma = system.weights(tf.constant(step, tf.int64))["gamma"]
            assert float(gamma) == pytest.approx(float(a[at + "gamma"]), rel=1e-6)
            recorded.d_step(at, a[at + "gamma"])
        for k in range(p.gen_update_steps):
            at = f"traj/{i}/g{k}/"
            expected = a[at + "gen_loss"]
            golden.close(system.g_step(recorded.tensor(at + "z")), expected,
                         2e-5 * max(1.0, np.abs(expected)), at)
        counter = f"traj/{i}/{'wall_clock' if p.wall_clock else 'gen_iterations'}"
        assert system.updates(i) == a.get(counter, system.updates(i))
    named = {name: v for network in system.networks.values() for name, v in network.named().items()}
    for name, expected in golden.under(a, "final/").items():
        golden.close(named[name].numpy(), expected, 2e-5, f"final/{name}")
    slots_close(recorded)


def slots_close(recorded):
    slots = golden.under(recorded.arrays, "slots/")
    for kind, network in recorded.system.networks.items():
        optimizer = recorded.system.optimizers[kind]
        for i, v in enumerate(network.trainable_variables):
            name = v.name.split(":")[0]
            if f"{name}/RMSProp" in slots:
                golden.gradient_close(optimizer.slot("rms", v).numpy(), slots[f"{name}/RMSProp"], 1e-4, name)
            if f"{name}/Adam" in slots:
                golden.gradient_close(optimizer._momentums[i].numpy(), slots[f"{name}/Adam"], 1e-4, name)
                golden.gradient_close(optimizer._velocities[i].numpy(), slots[f"{name}/Adam_1"], 1e-4, name)


@each_with(SYSTEM, "in/data2d")
def test_embedding_of_training_data(path):
    a = golden.load(path)
    golden.close(geometry.to_space(np.pad(a["in/data2d"], ((0, 0), (0, 1)))), a["in/data3d"], 1e-6)


@each_with(SYSTEM, "centers3d")
def test_geometry(path):
    a = golden.load(path)
    golden.close(geometry.ROTATION, a["R"], 1e-6, "R")
    for name in (name for name in a if name.startswith("R_axis_")):  # such as R_axis_06_0_08_theta_03: tenths
        *axis, angle = (float(f"{word[0]}.{word[1:] or 0}") for word in re.findall(r"\d+", name))
        golden.close(geometry.rotation(axis, angle), a[name], 1e-6, name)
    mixture = recorded_mixture(a)
    golden.close(mixture.centres(), a["centers2d_embedded"][:, :2], 1e-6, "2-D means")
    golden.close(mixture.centres_in_space(), a["centers3d"], 1e-6, "3-D means")
    scale = max(1.0, np.abs(a["points_in"]).max())
    golden.close(geometry.to_space(a["points_in"]), a["points_out"], 1e-6 * scale, "points")
    golden.close(geometry.to_plane(a["points_out"]), a["points_in"], 2e-6 * scale, "back")


def recorded_mixture(a):
    """The mixture whose means were recorded."""
    return geometry.Mixture(len(a["centers3d"]), float(np.linalg.norm(a["centers2d_embedded"][0])))


@each_with(SYSTEM, "sample_mean")
def test_drawn_data_have_the_recorded_moments(path):
    """Both are compared with the true moments: five deviations of means and covariances of 4,096 points."""
    a = golden.load(path)
    mixture = recorded_mixture(a)
    system = JSRegMixture(parameters("jsreg_mixture", batch_size=4096, hidden=4,
                                     components=mixture.components,
                                     radius=mixture.radius), training=False)
    points = system.draws(system_draws(), (False, False))["data"][0].numpy()
    centres = mixture.centres_in_space()
    mean, covariance = centres.mean(0), np.cov(centres.T, bias=True) + mixture.std**2 * np.eye(3)
    for found in (points.mean(0), a["sample_mean"]):
        golden.close(found, mean, 0.06 * mixture.radius, "mean")
    for found in (np.cov(points.T), a["sample_cov"]):
        golden.close(found, covariance, 0.04 * mixture.radius**2, "covariance")
    assert system.mixture.quality(points)["modes_tenth"] == mixture.components


@each_with(SYSTEM, "sample512_embedded")
def test_recorded_draws_belong_to_the_mixture(path):
    """Before the rotation: in the plane, six deviations at most from a mean, with the declared deviation."""
    a = golden.load(path)
    mixture, drawn = recorded_mixture(a), a["sample512_embedded"]
    offset = drawn[:, None, :2] - mixture.centres()
    nearest = offset[np.arange(len(drawn)), np.linalg.norm(offset, axis=2).argmin(1)]
    assert not drawn[:, 2].any() and np.abs(nearest).max() < 6 * mixture.std
    assert nearest.std() == pytest.approx(mixture.std, rel=5 / np.sqrt(4 * len(drawn)))


def system_draws():
    from tfgan_suite.random import Draws

    return Draws(0, tf.constant(0, tf.int64))


@each_with(SYSTEM, "gen_samps")
def test_colours_of_the_figure(path):
    a = golden.load(path)
    for i, points in enumerate(a["gen_samps"]):
        expected = golden.under(a, f"frame{i}/")
        golden.gradient_close(plots.density(points), expected["kde"], 1e-5, "kde")
        order, scaled, colours = plots.coloured(points)
        golden.close(scaled, expected["density01"], 1e-5, "density01")
        golden.close(colours, expected["rgb"], 1e-5, "rgb")
        # equal densities have no order
        gaps = np.diff(expected["kde"][expected["order"]]) > 1e-9 * expected["kde"].max()
        clear = np.concatenate([[True], gaps]) & np.concatenate([gaps, [True]])
        np.testing.assert_array_equal(order[clear], expected["order"][clear])
        np.testing.assert_array_equal(points[order][clear], np.stack([expected[c] for c in "xyz"], 1)[clear])


@golden.each(SYSTEM, "files/*.npy")
def test_snapshot_file_has_the_original_form(path, tmp_path):
    recorded = np.load(path)
    for frame, points in enumerate(recorded):
        events.write(tmp_path / path.name, frame, points)
    ours = np.load(tmp_path / path.name)
    assert (ours.shape, ours.dtype) == (recorded.shape, recorded.dtype)
    np.testing.assert_array_equal(ours, recorded)
