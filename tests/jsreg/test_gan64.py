"""jsreg_gan64: training through the trainer, resuming, files, towers, data, options, what it refuses."""
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tiny import ROOT

from tfgan_suite import experiment
from tfgan_suite.data import order
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.jsreg.gan64 import convert, curves, data
from tfgan_suite.jsreg.gan64.networks import ARCHITECTURES
from tfgan_suite.jsreg.gan64.objectives import OBJECTIVES
from tfgan_suite.training import runs
from tfgan_suite.training.trainer import Trainer

TINY = """system = 'jsreg_gan64'
architecture, dataset, DIM, FC_DIM, batch_size = 'DCGAN', 'digits', 2, 4, 4
iters, save_every, dev_every, dev_batches, log_every = 6, 3, 3, 2, 1
"""


def load(text=TINY, **changes):
    with open("exp/tiny.py", "w") as file:
        file.write(text)
    return experiment.load("tiny", {name: str(value) for name, value in changes.items()})


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A fresh folder, and no tracing: at this size it takes longer than the training."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    tf.config.run_functions_eagerly(True)
    yield tmp_path
    tf.config.run_functions_eagerly(False)


def train(params):
    out = io.StringIO()
    Trainer(params, out).run()
    return out.getvalue()


def stop_after(params, done):
    trainer = Trainer(params, io.StringIO())
    trainer.system.save_due = lambda n: n == done and trainer.stop() is None
    assert trainer.run() == done


def same(one, two, number):
    for kind in ("gmodel", "dmodel", "state"):
        a, b = (Archive(f"{folder}/iter_{number}.{kind}.npz") for folder in (one, two))
        for name in a:
            if name != "about":
                np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def folder(path, count, size=(64, 64), mode="RGB", kind="png"):
    path.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(count):
        Image.fromarray(random.integers(0, 256, (*size, 3),
                                        np.uint8)).convert(mode).save(path / f"{i}.{kind}")


def test_stopped_and_resumed_is_the_same_to_the_bit(place):
    train(load(annealing=True, wts_dir="whole", log_dir="a"))
    stop_after(load(annealing=True, wts_dir="parts", log_dir="b"), 2)
    text = train(load(annealing=True, wts_dir="parts", log_dir="b"))
    assert "Starting from Iteration 2" in text
    same("whole", "parts", 6)
    series = [pickle.loads((place / name / "log.pkl").read_bytes()) for name in "ab"]
    for name, iterations in (("train disc cost", [0, 1, 2, 3, 4, 5]), ("dev disc cost", [2, 5])):
        assert series[0][name] == series[1][name] and sorted(series[0][name]) == iterations


def test_files_and_lines_of_a_run(place):
    text = train(load())
    assert "MODE: regularized_gan, ARCHITECTURE: DCGAN" in text and "\tBATCH_SIZE: 4" in text
    lines = [line.split(" ", 2)[2] for line in text.splitlines() if "\ttrain disc cost\t" in line]
    assert [line.split("\t")[0] for line in lines] == [f"iter {i}" for i in range(6)]
    assert lines[2].split("\t")[1::2] == ["train disc cost", "time", "dev disc cost"]
    logs = place / "logs/tiny"
    for name in ("train_disc_cost.jpg", "time.jpg", "dev_disc_cost.jpg"):
        with Image.open(logs / name) as curve:
            assert curve.format == "JPEG"
    for name in ("samples_groundtruth/iter_0.png", "samples/iter_3.png", "samples/iter_6.png"):
        with Image.open(logs / name) as sheet:
            assert sheet.size == (128, 128)
    kept = sorted(p.name for p in (place / "models/tiny").iterdir())
    assert kept == ["iter_6.dmodel.npz", "iter_6.gmodel.npz", "iter_6.state.npz"]
    shown = np.asarray(Image.open(logs / "samples_groundtruth/iter_0.png"))[:64, :64]
    source = data.open_source("digits", "")
    np.testing.assert_array_equal(shown, source.image(order.epoch_order(1600, 1)[0]))


@pytest.mark.parametrize("mode", sorted(OBJECTIVES))
def test_every_mode_trains(mode):
    system = runs.build(load(mode=mode))
    real = tf.zeros([4, system.disc_steps, 64, 64, 3], tf.uint8)
    before = [network.trainable_variables[0].numpy() for network in system.networks.values()]
    for step in range(2):
        scalars = system.iteration(tf.constant(step, tf.int64), {"real": real}, system.phase(step))
        assert ("gen cost" in scalars) == (step > 0) and np.isfinite(scalars["train disc cost"])
    for network, old in zip(system.networks.values(), before):
        assert np.abs(network.trainable_variables[0] - old).max() > 0
    assert [int(o.iterations) for o in system.optimizers.values()] == [1, 2 * system.disc_steps]


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"ResNet101"}))
def test_every_architecture_samples(architecture):
    system = runs.build(load(architecture=architecture), training=False)
    images = system.generate(system.latents(10, 1))
    assert images.shape == (10, 64, 64, 3) and np.abs(images).max() <= 1
    # groups of a batch
    np.testing.assert_allclose(images[:4], system.generate(system.latents(4, 1)), atol=1e-6)
    assert system.to_uint8(images).dtype == np.uint8


def test_js_penalty_in_another_mode():
    system = runs.build(load(mode="lsgan", penalty="js"))
    step = tf.constant(0, tf.int64)
    scalars = system.iteration(step, {"real": tf.zeros([4, 1, 64, 64, 3], tf.uint8)}, False)
    assert scalars["disc_regularizer"] > 0 and "gamma" in scalars


def test_towers_on_two_devices_equal_those_on_one():
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import io
import tensorflow as tf
cpu = tf.config.list_physical_devices('CPU')[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer
changes = {{'n_gpus': sys.argv[1], 'wts_dir': 'two' + sys.argv[1], 'log_dir': 'logs' + sys.argv[1]}}
Trainer(experiment.load('tiny', changes), io.StringIO()).run()
"""
    text = TINY + "mode, penalty, disc_update_steps, iters, dev_every = 'lsgan', 'js', 1, 1, 0\n"
    load(text)
    children = [subprocess.Popen([sys.executable, "-c", script, towers], stderr=subprocess.PIPE, text=True)
                for towers in "12"]
    for child in children:
        errors = child.communicate(timeout=300)[1]
        assert child.returncode == 0, errors[-2000:]
    slots = {}
    for towers in (1, 2):
        train(load(text, n_gpus=towers, wts_dir=f"one{towers}"))
        for devices in ("one", "two"):
            state = Archive(f"{devices}{towers}/iter_1.state.npz")
            slots[devices, towers] = np.concatenate([np.ravel(state[n]) for n in state
                                                     if "/rms/Discriminator." in n])
    for towers in (1, 2):  # one tower: batch statistics of both devices together
        np.testing.assert_allclose(slots["one", towers], slots["two", towers], rtol=1e-4, atol=1e-6)
    assert np.abs(slots["one", 1] - slots["one", 2]).max() > 1e-3  # own statistics are something else


def test_flushes():
    assert [curves.flushed_before(done) for done in (1, 2, 5, 6, 200, 202, 400)] == [0, 1, 4, 5, 5, 200, 200]


def test_data_of_odd_kinds(place):
    folder(place / "celebA/train", 5, (200, 90), "L", "jpg")
    folder(place / "celebA/eval", 4, (30, 300), "RGB", "jpg")
    source = data.open_source("celebA", str(place))
    assert source.image(0).shape == source.validation.image(3).shape == (64, 64, 3)
    folder(place / "flat/celebA", 12, (218, 178), "RGB", "jpg")
    source = data.open_source("celebA", str(place / "flat"))
    assert (len(source), len(source.validation)) == (11, 1)
    folder(place / "lsun/bedroom_train/a/b", 3, (256, 300), "RGB", "webp")
    folder(place / "lsun/bedroom_val/c", 2, (300, 256), "RGB", "webp")
    assert len(data.open_source("lsun", str(place))) == 3
    folder(place / "ImageNet/train_64x64", 5, (64, 64), "RGBA")
    folder(place / "ImageNet/valid_64x64", 5)
    assert data.open_source("ImageNet", str(place / "ImageNet")).images([0, 4]).shape == (2, 64, 64, 3)


def test_own_folders(place):
    folder(place / "own/train/a", 3, (100, 80), "RGB", "png")
    folder(place / "own/train/b", 3, (64, 64), "L", "webp")
    folder(place / "own/val", 2, (70, 70), "RGB", "bmp")
    source = data.open_source("own", str(place))
    assert (len(source), len(source.validation)) == (6, 2) and source.images(range(6)).shape == (6, 64, 64, 3)
    folder(place / "flat", 25, (64, 64), "RGB", "tif")
    source = data.open_source("flat", str(place), batch=4)
    assert (len(source), len(source.validation)) == (21, 4)  # from all over the folder, and the others
    shown = [source.validation.numbers.tolist(), source.numbers.tolist()]
    assert shown[0] == [0, 8, 16, 24] and sorted(sum(shown, [])) == list(range(25))
    train(load(dataset="flat", data_dir=place, dev_batches=1, iters=1))


@pytest.mark.parametrize("name, crop", [("flat", None), ("flat", 0), ("flat", 178), ("celebA", None)])
def test_ready_pictures_come_through_unchanged(place, name, crop):
    stripes = np.tile(np.array([0,
                                255], np.uint8).repeat(1), 32)[None, :, None] * np.ones((64, 1, 3), np.uint8)
    (place / name).mkdir()
    for i in range(4):
        Image.fromarray(stripes).save(place / f"{name}/{i}.jpg", quality=100, subsampling=0)
    ready = np.asarray(Image.open(place / f"{name}/0.jpg"))
    np.testing.assert_array_equal(data.open_source(name, str(place), crop).image(0), ready)


def test_crop_sizes():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 50:150] = 255
    assert data.fit(image, None).min() == 255 and data.fit(image, 100).min() == 255  # the largest square
    assert data.fit(image, 0).mean() == pytest.approx(127.5, abs=2)  # all of it


def test_original_checkpoint_comes_in_and_trains_on(place):
    params = load(iters=4, dev_every=0)
    system = runs.build(params)
    names, tensors = [], []
    for network in system.networks.values():
        for name, variable in network.named().items():
            scope = "" if name.endswith((".scale", ".offset")) else name.rsplit(".", 1)[0] + "/"
            for slot in ("", "/Adam", "/Adam_1"):
                names.append(scope + name + slot)
                tensors.append(variable + len(slot))
        names.append(f"{name.split('.')[0]}.BN1.moving_mean")
        tensors.append(tf.zeros(3))
    tf.raw_ops.SaveV2(prefix="ckpt-1", tensor_names=names, shape_and_slices=[""] * len(names),
                      tensors=tensors)
    arrays = convert.convert("ckpt-1", params)
    assert convert.iteration("ckpt-1", params) == 2
    assert {n for n in arrays["state"] if n.endswith("iteration")} == {"g/iteration", "d/iteration"}
    for name, network in system.networks.items():
        for variable, array in network.named().items():
            np.testing.assert_array_equal(arrays[name][variable], array)
    place_of = next(n for n in arrays["state"] if n.endswith("/v/Discriminator.2.Filters"))
    np.testing.assert_array_equal(arrays["state"][place_of], arrays["d"]["Discriminator.2.Filters"] + 7)
    with pytest.raises(UserError, match="give the run's"):
        convert.convert("ckpt-1", load(architecture="Gated"))
    with pytest.raises(UserError, match="no TensorFlow checkpoint"):
        convert.convert("ckpt-2", params)


@pytest.mark.parametrize("n, size", [(7, 2), (9, 8), (12, 4)])
def test_legacy_order_is_the_originals_rule(n, size):
    """Image number i goes to slot i % size, and the batch is full whenever i > 0 and i % size == 0."""
    expected, slots = [], [None] * size
    for epoch in (1, 2):
        for i, file in enumerate(order.epoch_order(n, epoch)):
            slots[i % size] = file
            if i > 0 and i % size == 0:
                expected.append(list(slots))
    ours = [list(order.batch_indices(n, size, k, True)) for k in range(len(expected))]
    assert ours == expected


def test_orders():
    batches = [order.batch_indices(10, 3, k, False) for k in range(6)]
    assert len({*np.concatenate(batches[:3])}) == 9 and not np.array_equal(batches[0], batches[3])


@pytest.mark.parametrize("changes, words", [
    ({"architecture": "Resnet"},
     "choose from ResNet, DCGAN, ConstNumofFilters, MLP, NoNormalization, Gated, tanh, ResNet101"),
    ({"mode": "wgangp"}, "choose from regularized_gan, gan, wgan, wgan-gp, lsgan"),
    ({"gamma": "-1"}, "too small"), ({"gamma": "nan"}, "not a number"),
    ({"n_gpus": "3"}, "cannot be split over n_gpus=3 towers"),
    ({"architecture": "ResNet101"}, "too narrow for ResNet101"),
    ({"dataset": "celebA"}, "tools/datasets.py download celebA"),
    ({"dataset": "lsun"}, "tools/datasets.py download lsun"),
    ({"dataset": "ImageNet"}, "https://image-net.org"),
    ({"batch_size": "1601"}, "has only 1600 pictures"),
    ({"dataset": "celeba"}, "no such folder.*did you mean 'celebA'"),
    ({"crop_size": "-1"}, "too small"),
])
def test_refusals(changes, words):
    with pytest.raises(UserError, match=words) as error:
        runs.build(load(**changes)).source()
    assert "\n" not in str(error.value)


def test_refusals_of_pictures(place):
    folder(place / "ImageNet/train_64x64", 5, (64, 32))
    folder(place / "ImageNet/valid_64x64", 5)
    with pytest.raises(UserError, match="is 32x64, this data set must be 64x64"):
        data.open_source("ImageNet", str(place))
