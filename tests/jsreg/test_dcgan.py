"""jsreg_dcgan: training through the trainer, resuming, data, files, options, what it refuses."""
import io
import re
import struct

import event_files
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_suite import experiment, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.jsreg.dcgan import data
from tfgan_suite.training import runs
from tfgan_suite.training.trainer import Trainer

TINY = ("system = 'jsreg_dcgan'\nz_dim, gf_dim, df_dim, gfc_dim, dfc_dim = 4, 2, 2, 8, 8\n"
        "final_samples, log_every = 0, 1\n")
DIGITS = TINY + "dataset, output_height, batch_size, epochs, dataset_size = 'digits', 16, 8, 2, 16\n"
OWN = TINY + "dataset, input_height, output_height, batch_size, epochs = 'own', 12, 10, 2, 1\n"


def params(tmp_path, monkeypatch, text=DIGITS, **changes):
    """An experiment in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir(exist_ok=True)
    (tmp_path / "exp/tiny.py").write_text(text)
    return experiment.load("tiny", {name: str(value) for name, value in changes.items()})


def train(p):
    """Trains to the end and returns the console's text."""
    out = io.StringIO()
    Trainer(p, out).run()
    return out.getvalue()


def pictures(folder, modes=("RGB",) * 7, size=(14, 13)):
    """A folder with a JPEG of each colour mode."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i, mode in enumerate(modes):
        channels = len(Image.new(mode, (1, 1)).getbands())
        pixels = random.integers(0, 256, (*size, channels), np.uint8)
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode).save(folder / f"{i}.png")


def mnist(folder, count=12):
    """The four files of a small MNIST."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28)
                                                           + images.tobytes())
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count)
                                                           + labels.tobytes())


def test_stopped_and_resumed_is_the_same_to_the_bit(tmp_path, monkeypatch):
    p = params(tmp_path, monkeypatch, annealing=True, save_every=1)
    text = train(p.replace(wts_dir="whole"))
    assert re.search(r"Epoch:  1/ 2 \[Round:    1/   2\] gamma: 0\.0010, time: \d+\.\d\d, d_loss: ", text)
    trainer = Trainer(p.replace(wts_dir="parts"), io.StringIO())
    due = trainer.system.save_due
    trainer.system.save_due = lambda done: (done == 1 and trainer.stop()) or due(done)
    assert trainer.run() < 4
    train(p.replace(wts_dir="parts"))
    for kind in ("gmodel", "dmodel", "state"):
        whole, parts = (Archive(f"{folder}/iter_4.{kind}.npz") for folder in ("whole", "parts"))
        for name in whole:
            if name != "about":
                np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


def test_files_of_a_run(tmp_path, monkeypatch):
    train(params(tmp_path, monkeypatch, epochs=1, save_every=2, final_samples=10))
    logs = tmp_path / "logs/tiny"
    assert len(list((logs / "samps_10k").glob("image_*.png"))) == 16  # whole batches
    with Image.open(logs / "samples/test_9.png") as sheet:
        assert sheet.size == (48, 48)
    with Image.open(logs / "samples/iter_2.png") as sheet:  # 2 columns, 4 rows
        assert sheet.size == (32, 64)
    assert "disc/disc_reg/disc/grad_D1_norm" in (logs / "metrics.jsonl").read_text()
    layers = "g_h0_lin g_h1 g_h2 g_h3 g_h4", "d_h0_conv d_h1_conv d_h2_conv d_h3_conv d_h4_lin"
    events = events_are_the_originals(logs, layers, ("g_h4_tanh", "d_h4_sigm"), (1, 2))
    assert events["gen/generator/gen/g_h4_tanh"][2].num == 8 * 16 * 16 * 3
    (nodes,) = event_files.graphs(logs / "summaries")
    assert any("conv2d" in name.lower() for name in nodes)
    assert sorted(f.name for f in (tmp_path / "models/tiny").glob("*.gmodel.npz")) == ["iter_2.gmodel.npz"]


STATISTICS = ("grad_D1_logits_norm", "grad_D2_logits_norm", "grad_D_logits_norm", "D1_regularizer",
              "D2_regularizer",
              "disc_regularizer", "grad_D1_norm", "grad_D2_norm", "grad_D_norm")


def events_are_the_originals(logs, layers, shown, steps):
    """Scalars and histograms have the tags of spec jsreg_dcgan, section 7; the run's own log has the
    statistics of training.

    Args:
        layers: of G and of D, a string each: names of the layers with weights.
        shown: names of the last layers' histograms.
    """
    own, found = event_files.read(logs), event_files.read(logs / "summaries")
    assert {*STATISTICS[:6], "gamma", "disc_loss", "unreg_gen_loss", "disc/disc/disc_loss"} <= set(own)
    scalars = {"gamma_1", "gen/gen/unreg_gen_loss", "disc/disc/unreg_disc_loss", "disc/disc/disc_loss",
               *(f"disc/disc_reg/disc/{name}" for name in STATISTICS)}
    histograms = {"disc/disc/D1", "disc/disc/D2"}
    for net, scope in (("gen", "generator"), ("disc", "discriminator"), ("disc", "discriminator_1")):
        names, last = layers[net == "disc"].split(), shown[net == "disc"]
        histograms |= {f"{net}/{scope}/{net}/{name}" for name in (*names[:-1], last)}
        histograms |= {f"net_vars/{scope}/{name}/net_vars/{name}_{part}" for name in names
                       for part in ("weights" if name.endswith("lin") else "filters", "biases")}
    assert set(found) == scalars | histograms
    assert all(set(values) == set(steps) for values in found.values())
    assert all(isinstance(found[tag][steps[0]], float) for tag in scalars)
    assert all(sum(found[tag][steps[0]].bucket) == found[tag][steps[0]].num > 0 for tag in histograms)
    assert float(found["disc/disc/disc_loss"][steps[0]]) == float(own["disc/disc/disc_loss"][steps[0]])
    return found


@pytest.mark.parametrize("changes",
                         [{"unreg": True, "rmsprop": True}, {"bn_mode": "tf13", "disc_update_steps": 2},
                                     {"gaussian_prior": True, "penalty": "none", "precision": "bfloat16"}])
def test_options_train(tmp_path, monkeypatch, changes):
    p = params(tmp_path, monkeypatch, epochs=1, dataset_size=32, **changes)
    train(p)
    system, _ = runs.open_sampler(p)
    made = system.generate(system.latents(5, 1))
    assert made.shape == (5, 16, 16, 3) and np.abs(made).max() <= 1.0


def test_conditional_on_mnist(tmp_path, monkeypatch):
    mnist(tmp_path / "data/mnist")
    p = params(tmp_path, monkeypatch, TINY
               + "dataset, batch_size, epochs, final_samples = 'mnist', 4, 1, 4\n")
    train(p)
    events_are_the_originals(tmp_path / "logs/tiny",
                             ("g_h0_lin g_h1_lin g_h2 g_h3", "d_h0_conv d_h1_conv d_h2_lin d_h3_lin"),
                             ("g_h3_sigm", "d_h3_sigm"), (1,))
    labels = np.load(tmp_path / "logs/tiny/samps_10k/labels.npy")
    assert labels.shape == (4, 10) and labels.dtype == np.float64
    system, _ = runs.open_sampler(p)
    assert system.generate(system.latents(10, 0), system.labels(10, 0)).shape == (10, 28, 28, 1)


def test_grey_rgba_and_palette_files_become_rgb(tmp_path, monkeypatch):
    pictures(tmp_path / "data/own", ("L", "RGBA", "RGB", "L", "RGB", "RGB"))
    p = params(tmp_path, monkeypatch, OWN, input_fname_pattern="*.png")
    system = runs.build(p)
    source = system.source()
    assert source.images(range(6)).shape == (6, 10, 10, 3)
    assert system.batch(0, source)["images"].shape == (2, 1, 10, 10, 3)
    train(p)


@pytest.mark.parametrize("changes, words", [
    ({"gamma": -1}, "gamma=-1"), ({"gamma": "nan"}, "not a number"),
    ({"output_height": 8}, "least size is 9"),
    ({"dataset": "mnist", "output_height": 30}, "multiples of 4"), ({"bn_mode": "tf2"}, "fused, tf13"),
    ({"dataset": "digits", "output_width": 20}, "square"),
    ({"batch_size": 1800, "dataset_size": 0}, "too small"),
    ({"dataset_size": 7}, "dataset_size=7"), ({"dataset": "celebA"}, "no such folder"),
    ({"dataset": "mnist"}, "mnist"),
])
def test_bad_options_are_one_line(tmp_path, monkeypatch, changes, words):
    text = DIGITS if "dataset" not in changes or changes["dataset"] == "digits" else TINY
    with pytest.raises(UserError) as error:
        runs.build(params(tmp_path, monkeypatch, text, **changes)).source()
    assert words in str(error.value) and "\n" not in str(error.value)


def test_bad_folders_are_one_line(tmp_path, monkeypatch):
    pictures(tmp_path / "data/own")
    with pytest.raises(UserError, match="no file matches '\\*.jpg'"):
        runs.build(params(tmp_path, monkeypatch, OWN)).source()
    with pytest.raises(UserError,
                       match="0.png: is 13x14, smaller than the crop of 20x20; choose a smaller "
                             "--input_height"):
        runs.build(params(tmp_path, monkeypatch, OWN, input_fname_pattern="*.png", input_height=20)).source()
    with pytest.raises(UserError, match="batch_size=8"):
        runs.build(params(tmp_path, monkeypatch, OWN, input_fname_pattern="*.png", batch_size=8)).source()


def test_celeba_is_cropped_as_the_original_does(tmp_path, monkeypatch):
    p = params(tmp_path, monkeypatch, TINY, dataset="celebA", input_height=50)
    assert data.crop_size(p) == (108, 108)
    assert data.output_size(p) == (64, 64)
    assert "input_height=50" in data.remark(p) and not data.remark(p.replace(input_height=108))
    assert "note" in [event.name for event in runs.build(p).events()]


def test_regulariser_gradient_of_the_two_batch_norms_differs(tmp_path, monkeypatch):
    found = {}
    for mode in ("fused", "tf13"):
        system = runs.build(params(tmp_path, monkeypatch, bn_mode=mode))
        real, fake = (tf.random.stateless_normal((8, 16, 16, 3), [0, i]) for i in range(2))
        with tf.GradientTape() as tape:
            value = penalties.js_regularizer(lambda x, d=system.networks["d"]: d(x, None, training=True),
                                             real, fake).value
        kernel = system.networks["d"].named()["discriminator/d_h0_conv/filters"]
        found[mode] = float(value), tape.gradient(value, kernel).numpy()
    assert found["fused"][0] == pytest.approx(found["tf13"][0], rel=1e-4)
    assert np.linalg.norm(found["fused"][1] - found["tf13"][1]) > 0.02 * np.linalg.norm(found["fused"][1])
