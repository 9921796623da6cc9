"""The 64x64 family against numbers recorded from rothk/Stabilizing_GANs, `igul222_GANs`
(golden/jsreg_gan64/README.md)."""
from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

for folder in Path(__file__).parents[:3]:  # the child process of ResNet101 has no conftest
    sys.path.insert(0, str(folder))

import golden_files as golden  # noqa: E402
from jsreg_helpers import parameters, weights  # noqa: E402

from tfgan_suite import experiment, penalties  # noqa: E402
from tfgan_suite.data import order, prepare  # noqa: E402
from tfgan_suite.experiment import Parameters  # noqa: E402
from tfgan_suite.jsreg.gan64 import convert, data  # noqa: E402
from tfgan_suite.jsreg.gan64.networks import ARCHITECTURES  # noqa: E402
from tfgan_suite.jsreg.gan64.system import JSRegGan64, scale  # noqa: E402
from tfgan_suite.pictures import bytes, sheets  # noqa: E402

FOLDER = "jsreg_gan64"
SAMPLED = 450


def d_norm(text: str) -> str:
    """The norm of D that a fixture's `d_norm` describes, such as 'non-fused batch norm eps 1e-4'."""
    if "layer" in text:
        return "layer"
    return "tf13" if "non-fused" in text or "1e-4" in text else "fused"


def build(meta: dict, arrays: dict, exact: bool = False, fresh: bool = False) -> JSRegGan64:
    """The system that a fixture's `meta` describes, with its weights (`fresh`: with its own)."""
    norm = d_norm(meta.get("d_norm", ""))
    values = {name: value for name, value in meta.items() if name in experiment.declared("jsreg_gan64")}
    values.update(DIM=meta["dim"], FC_DIM=meta.get("fc_dim", 4),
                  batch_size=meta.get("batch_size", meta.get("batch")))
    values["bn_mode"] = {"tf13": "tf13_exact" if exact else "tf13"}.get(norm, "fused")
    values["ln_mode"] = "exact" if exact else "tf13"
    if values["mode"].startswith("wgan"):
        values["disc_update_steps"] = None  # the original ignores the flag there
    system = JSRegGan64(parameters("jsreg_gan64", **values))
    for kind, prefix in (("g", "Generator."), ("d", "Discriminator.")):
        own = {name: value for name, value in arrays.items() if name.startswith(prefix)}
        assert fresh or set(own) == set(system.networks[kind].named())
        system.networks[kind].assign(own)
    return system


def open_train(path):
    """(fixture, meta, system, real images uint8 [batches, B, 64, 64, 3]) of a `train_*` file."""
    fixture = golden.load(path)
    meta = json.loads(str(fixture["meta"]))
    arrays = golden.under(golden.load(path.parent / meta["weights_from"]), "w/")
    images = real_images(path)[:, :meta["batch_size"]]
    return fixture, meta, build(meta, arrays, "exact" in path.stem), images


def real_images(path) -> np.ndarray:
    """The real images of a folder's fixtures, uint8 [batches, most of a batch, 64, 64, 3]."""
    return golden.load(next(path.parent.glob("inputs*.npz")))["images"].transpose(0, 1, 3, 4, 2)


def sample(array: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """An array as a fixture stores it: whole, or strided if it is large."""
    return array if array.shape == stored.shape else array.ravel()[::math.ceil(array.size / SAMPLED)]


def flat(images) -> np.ndarray:
    """[n, h, w, c] -> [n, c*h*w], the original's order."""
    images = np.asarray(images)
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def noise(array) -> tf.Tensor:
    """Recorded noise, which is stored as float16."""
    return tf.constant(array.astype(np.float32))


def check_gradients(fixture: dict, prefix: str, system, kind: str, gradients) -> None:
    """Every stored element within 1e-4 of the largest norm, every large norm within 1e-3 (and 2e-5 of the
    largest).

    In the 101 layers of ResNet101 a unit at zero may fall on the other side, with other sums: norms within
    1e-2. That of wgan-gp's G is unit 10826 of the 31st ReLU of D, 6e-7 where its layer has a deviation of
    1.3: with its sign turned, all norms agree to 4e-5 in place of 6e-3.
    """
    rtol = 1e-2 if system.params.architecture == "ResNet101" else 1e-3
    shapes = system.networks[kind].shapes()
    named = {name: np.zeros(shapes[name]) if g is None else g.numpy() for name, g in zip(shapes, gradients)}
    largest = fixture[f"{prefix}_l2"].max()
    for name, norm in zip(fixture[f"{prefix}_names"], fixture[f"{prefix}_l2"]):
        own = named[name]
        if norm > 1e-3 * largest:
            assert abs(np.linalg.norm(own.astype(np.float64)) - norm) <= rtol * norm + 2e-5 * largest, (
                f"{prefix}/{name}: norm"
            )
        if (stored := fixture.get(f"{prefix}/{name}")) is not None:
            golden.close(sample(own, stored), stored, 1e-4 * largest, f"{prefix}/{name}")


def check_static(path) -> None:
    """Costs, logits, regulariser, gradient penalty and all gradients at the recorded weights."""
    fixture, meta, system, images = open_train(path)
    now = golden.under(fixture, "static/")
    tolerance = {"rtol": 1e-4, "atol": 1e-6 if meta["mode"] == "wgan" else 1e-7}
    z, real = noise(now["z"]), scale(tf.constant(images[int(now["image_index"])]))
    alpha = noise(now["alpha"]) if "alpha" in now else None
    g, d = system.networks["g"], system.networks["d"]
    with tf.GradientTape() as tape:
        cost = system.generator_cost(z)
    np.testing.assert_allclose(cost, now["gen_cost"], **tolerance)
    check_gradients(now, "grad_G", system, "g", tape.gradient(cost, g.trainable_variables))
    with tf.GradientTape(persistent=True) as tape:
        cost, statistics = system.discriminator_cost(real, z, weights(system.params, now.get("gamma", 0.0)),
                                                     alpha)
    np.testing.assert_allclose(cost, now["disc_cost"], **tolerance)
    check_gradients(now, "grad_D", system, "d", tape.gradient(cost, d.trainable_variables))
    for name, ours in (("disc_reg", "disc_regularizer"), ("gradient_penalty", "gradient_penalty")):
        if name in now:
            np.testing.assert_allclose(statistics[ours], now[name], rtol=1e-4)
    for name, ours in (("grad_D_of_reg", "disc_regularizer"), ("grad_D_of_gp", "gradient_penalty")):
        if f"{name}_names" in now:
            check_gradients(now, name, system, "d", tape.gradient(statistics[ours], d.trainable_variables))
    if meta["n_gpus"] == 1:
        check_inputs(now, system, real, g(z), alpha)


def check_inputs(now: dict, system, real, fake, alpha) -> None:
    """Logits and the gradients with respect to images."""
    points = {"real": (real, "D_real", "input_grad_real_strided"),
              "fake": (fake, "D_fake", "input_grad_fake_strided")}
    if alpha is not None:
        points["between"] = (real + alpha[:, :, None, None] * (fake - real), "", "gp_input_grad_strided")
    for part, (x, logits_name, gradient_name) in points.items():
        view = penalties.View(system.networks["d"], x)
        logits, gradient = view.logits, view.gradient
        if logits_name in now:
            golden.close(logits, now[logits_name], 1e-5 + 1e-4 * np.abs(now[logits_name]).max(), logits_name)
        if gradient_name in now:
            largest = np.linalg.norm(flat(gradient), axis=1).max()
            golden.close(flat(gradient)[:, ::97], now[gradient_name], 2e-5 * largest, gradient_name)
        if f"sqnorm_grad_{part}" in now:
            np.testing.assert_allclose(np.square(flat(gradient)).sum(1), now[f"sqnorm_grad_{part}"],
                                       rtol=1e-3)
    if "slopes" in now:
        slopes = penalties.norms_of(penalties.View(system.networks["d"], points["between"][0]).squares)
        np.testing.assert_allclose(slopes, now["slopes"], rtol=1e-4)


def check_final(fixture: dict, now: dict, system, updates: int) -> None:
    """Weights after a trajectory; Adam may flip the sign of a step where a gradient is about zero."""
    rate, differences = system.objective.rate, []
    named = {**system.networks["g"].named(), **system.networks["d"].named()}
    for name in now["final_names"]:
        if f"final/{name}" in now and name not in fixture.get("null_params", ()):
            difference = np.abs(sample(named[name].numpy(), now[f"final/{name}"]) - now[f"final/{name}"])
            assert difference.max() <= 2 * rate * updates, f"{name}: {difference.max() / rate} rates"
            differences.append(difference.ravel())
    average = np.concatenate(differences).mean() / rate
    assert average <= 0.02, f"{average} rates on average"


def check_trajectory(path) -> None:
    """Cost of every step, and the weights in the end."""
    fixture, meta, system, images = open_train(path)
    now = golden.under(fixture, "traj/")
    rtol = 5e-3 if "ResNet" in meta["architecture"] else 1e-3
    for k, event in enumerate(now["event"]):
        if event == "G":
            cost = system.generator_step(noise(now["z"][k]))
        else:
            real = scale(tf.constant(images[now["image_index"][k]]))
            alpha = noise(now["alpha"][k]) if "alpha" in now else None
            gamma = weights(system.params, now["gamma"][k] if "gamma" in now else 0.0)
            cost, _ = system.discriminator_step(real, noise(now["z"][k]), gamma, alpha)
        np.testing.assert_allclose(cost, now["cost"][k], rtol=rtol, atol=1e-6, err_msg=f"event {k}, {event}")
    check_final(fixture, now, system, len(now["event"]))


def check_update(path) -> None:
    """The same trajectory through whole iterations of the system: order of the steps, gamma, what it logs."""
    fixture, _, system, images = open_train(path)
    now = golden.under(fixture, "traj/")
    events, place, step = list(now["event"]), 0, 0
    while place < len(events):
        draws, expected = {}, {}
        if events[place] == "G":
            draws["z_g"], expected["gen cost"] = noise(now["z"][place]), now["cost"][place]
            place += 1
        steps = events[place:place + system.disc_steps]
        if steps != ["D"] * system.disc_steps:
            return  # a trajectory that ends with a G step
        span = slice(place, place + system.disc_steps)
        draws["z_d"] = noise(now["z"][span].swapaxes(0, 1))
        if "alpha" in now:
            draws["alpha"] = noise(now["alpha"][span].swapaxes(0, 1))
        real = tf.constant(images[now["image_index"][span]].swapaxes(0, 1))
        expected["train disc cost"] = now["cost"][span][-1]
        assert system.phase(step) == ("z_g" in draws)
        scalars = system.update(tf.constant(step, tf.int64), {"real": real}, draws, system.phase(step))
        for name, value in expected.items():
            np.testing.assert_allclose(scalars[name], value, rtol=5e-3, atol=1e-6,
                                       err_msg=f"iteration {step}, {name}")
        assert system.history.numpy()[step] == scalars["train disc cost"].numpy()
        place, step = span.stop, step + 1
    check_final(fixture, now, system, len(events))


CHECKS = {"static": check_static, "trajectory": check_trajectory, "update": check_update}


def run_check(check: str, path) -> None:
    """Runs a check; of ResNet101 in a child process: oneDNN corrupts the heap in its gradients at tiny
    widths."""
    if json.loads(str(golden.load(path)["meta"]))["architecture"] != "ResNet101":
        CHECKS[check](path)
        return
    child = subprocess.run([sys.executable, __file__, check, str(path)],
                           env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
                           capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-2000:]


@pytest.mark.parametrize("check", CHECKS)
@golden.each(FOLDER, "train_*.npz")
def test_training(path, check):
    run_check(check, path)


@golden.each(FOLDER, "arch_*.npz")
def test_networks(path):
    fixture = golden.load(path)
    meta = json.loads(str(fixture["meta"]))
    system = build({**meta, "mode": "gan"}, golden.under(fixture, "w/"))
    g, d = system.networks["g"], system.networks["d"]
    rtol, atol = (2e-4, 5e-5) if meta["architecture"] == "ResNet101" else (1e-4, 1e-5)
    real = real_images(path)[int(re.search(r"(\d+)\]|$", meta.get("real_batch", ""))[1] or 0)][:meta["batch"]]
    real, fake = scale(tf.constant(real)), g(noise(fixture["z"]))
    np.testing.assert_allclose(flat(fake), fixture["G_out"], rtol=rtol, atol=atol)
    np.testing.assert_allclose(d(real), fixture["D_real"], rtol=rtol, atol=atol)
    np.testing.assert_allclose(d(fake), fixture["D_fake"], rtol=rtol, atol=atol)
    np.testing.assert_allclose(np.square(real.numpy().astype(np.float64)).sum(), fixture["real_norm"],
                               rtol=1e-5)


def test_architectures_are_those_declared():
    from tfgan_suite.jsreg.gan64 import parameters as declared
    from tfgan_suite.jsreg.gan64.objectives import OBJECTIVES

    assert set(declared.ARCHITECTURES) == set(ARCHITECTURES)
    assert set(declared.MODES) == set(OBJECTIVES)
    assert set(declared.DATASETS) == {*data.DATASETS, "digits"}  # any other name is a folder


@golden.each(FOLDER, "gamma*.npz")
def test_annealing(path):
    fixture = golden.load(path)
    for case in sorted({name.split("/")[0] for name in fixture}):
        gamma, decay, iterations = fixture[f"{case}/gamma0_decay_iters"]
        params = Parameters("test", {"gamma": gamma, "annealing": True, "decay_factor": decay})
        for step, expected in zip(fixture[f"{case}/t"], fixture[f"{case}/gamma_t"]):
            ours = penalties.js_gamma(params, tf.constant(int(step), tf.int64), int(iterations))
            np.testing.assert_allclose(float(ours), expected, rtol=2e-7)  # the original feeds it as float32


def cells(images: np.ndarray) -> np.ndarray:
    """Recorded images as the sheet takes them, uint8 [n, h, w, c]: NCHW, grey [n, h, w], or square and flat
    [n, h*w]; integers in 0..255, or floats in 0..1."""
    if images.dtype.kind == "f":
        images = images * np.asarray(255.99, images.dtype)
    if images.ndim == 4:
        return images.transpose(0, 2, 3, 1).astype(np.uint8)
    if images.ndim == 2:
        images = images.reshape(len(images), math.isqrt(images.shape[1]), -1)
    return images[..., None].astype(np.uint8)


@golden.each(FOLDER, "grid*.npz")
def test_sheets(path):
    fixture = golden.load(path)
    for case in sorted({name.split("/")[0] for name in fixture} - {"quant"}):
        images = cells(fixture[f"{case}/X"])
        sheet = sheets.grid(images, *sheets.divided(len(images)))
        sheet = sheet if images.shape[-1] == 3 else sheet[..., 0]
        np.testing.assert_array_equal(sheet, fixture[f"{case}/canvas"])
        np.testing.assert_array_equal(prepare.stretch(sheet), fixture[f"{case}/png"])
    if "quant/x" in fixture:
        np.testing.assert_array_equal(bytes.tflib(fixture["quant/x"]), fixture["quant/int"])


def orders(fixture):
    """(n, batch, epoch, expected slots) of the loader's recorded orders."""
    for name, slots in fixture.items():
        if name.startswith("order_"):
            n, batch = (int(part[1:]) for part in name.split("/")[0].split("_")[1:])
            yield n, batch, int(name.rsplit("epoch", 1)[1]), slots


@golden.each(FOLDER, "loader*.npz")
def test_legacy_order(path):
    for n, size, epoch, slots in orders(golden.load(path)):
        count = order.batches_per_epoch(n, size, True)
        ours = [order.batch_indices(n, size, (epoch - 1) * count + k, True) for k in range(count)]
        np.testing.assert_array_equal(ours, slots)


@golden.each(FOLDER, "loader*.npz")
def test_crop_and_resize(path):
    fixture = golden.load(path)
    for name in fixture:
        if name.startswith("crop") and name.endswith("/in"):
            case = name.split("/")[0]
            size, number = case[4:].split("_")
            assert np.abs(data.fit(fixture[name], int(size)).astype(int) - fixture[f"{case}/out"]).max() <= 1
            if f"resize_{number}/out" in fixture and size == "178":
                assert np.abs(data.fit(fixture[name],
                                       0).astype(int) - fixture[f"resize_{number}/out"]).max() <= 1


@golden.each(FOLDER, "loader*.npz")
def test_folders(path):
    fixture, files = golden.load(path), path.parent / "files"
    for name, expected in fixture.items():
        found = re.fullmatch(r"(celebA|lsun)/(train|test|val)_epoch(\d+)", name)
        if not found or not (files / found[1]).is_dir():
            continue
        source, levels = data.open_source(found[1], str(files)), {"celebA": 3, "lsun": 1}[found[1]]
        source = source if found[2] == "train" else source.validation
        for k, batch in enumerate(expected):
            index = (int(found[3]) - 1) * len(expected) + k
            ours = source.images(order.batch_indices(len(source), len(batch), index, True))
            assert np.abs(ours.transpose(0, 3, 1, 2).astype(int) - batch).max() <= levels, name


@golden.each(FOLDER, "init*.npz")
def test_initial_weights(path):
    fixture = golden.load(path)
    for architecture in sorted({name.split("/")[0] for name in fixture if "/" in name}):
        now = golden.under(fixture, f"{architecture}/")
        sizes = {"dim": int(fixture["dim"]), "fc_dim": int(fixture["fc_dim"]), "batch": 2}
        system = build({"architecture": architecture, "mode": "gan", **sizes}, {}, fresh=True)
        named = {**system.networks["g"].named(), **system.networks["d"].named()}
        trainable = [i for i, flag in enumerate(now["trainable"]) if flag]
        assert set(now["names"][trainable]) == set(named)
        for i in trainable:
            own, size = named[now["names"][i]].numpy(), named[now["names"][i]].shape.num_elements()
            # five deviations of the difference
            assert abs(own.std() - now["std"][i]) <= 3.2 / math.sqrt(size) * now["std"][i]
            bound = max(abs(now["min"][i]), abs(now["max"][i]))
            assert np.abs(own).max() <= bound * (1 + 20 / size), now["names"][i]


@golden.each(FOLDER, "checkpoint_run*.npz")
def test_checkpoint_of_the_original(path):
    fixture, name = golden.load(path), path.stem.removeprefix("checkpoint_")
    folders = sorted((path.parent / "files").glob("*/checkpoints"), key=lambda f: f.parent.name != name)
    folder, meta = folders[0], json.loads(str(fixture["meta"]))  # checkpoint_NAME belongs to files/NAME
    params = parameters("jsreg_gan64", DIM=meta["dim"], **{k: v for k, v in meta.items() if k != "dim"})
    arrays = convert.convert(str(folder), params)
    system = JSRegGan64(params)
    for kind, network in system.networks.items():
        network.assign(arrays[kind])
    for name, variable in system.state().items():
        variable.assign(arrays["state"][name])
    known = dict(zip(fixture["ckpt_names"], fixture["ckpt_l2"]))
    slots = {name: value for name, value in arrays["state"].items() if name.split("/")[1] in convert.SLOTS}
    assert slots and sum(np.linalg.norm(v) > 0 for v in slots.values()) > len(slots) / 2
    weights_there = {**arrays["g"], **arrays["d"]}
    assert weights_there.keys() <= {name.rsplit("/", 1)[-1] for name in known}
    for name, norm in known.items():
        own = weights_there.get(name.rsplit("/", 1)[-1])
        if own is not None:
            assert abs(np.linalg.norm(own.astype(np.float64)) - norm) <= 1e-5 * norm + 1e-7, name
    done = 1 + int(re.search(r"ckpt-(\d+)", (folder / "checkpoint").read_text())[1])
    assert convert.iteration(str(folder), params) == done
    assert int(system.optimizers["g"].iterations) == done - 1
    images = system.generate(fixture["fixed_noise"])
    np.testing.assert_allclose(flat(images), fixture["samples_float"], rtol=1e-4, atol=1e-5)
    assert np.abs(system.to_uint8(images).transpose(0, 3, 1,
                                                    2).astype(int) - fixture["samples_int"]).max() <= 1
    real = scale(tf.constant(fixture["groundtruth_batch"].transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(system.networks["d"](real), fixture["D_real"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(system.networks["d"](images), fixture["D_fake"], rtol=1e-4, atol=1e-5)
    cost, _ = system.discriminator_cost(real, tf.constant(fixture["fixed_noise"]),
                                        weights(params, meta["gamma"]))
    np.testing.assert_allclose(cost, fixture["disc_cost"], rtol=1e-4)


if __name__ == "__main__":
    CHECKS[sys.argv[1]](Path(sys.argv[2]))
