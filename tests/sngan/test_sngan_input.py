"""Bad input gives one line and loses nothing; the data of both systems."""
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sngan_tiny import parameters, system

from tfgan_suite.data.labelled import check_labels, open_source
from tfgan_suite.data.order import ShuffledEpochs
from tfgan_suite.errors import UserError
from tfgan_suite.pictures import curves
from tfgan_suite.registry import system_class
from tfgan_suite.sngan.gan_lib import convert
from tfgan_suite.sngan.projection import convert as chainer
from tfgan_suite.training import runs

SYSTEMS = pytest.mark.parametrize("kind", ["sngan", "sngan_projection"])


def rejected(match, call):
    with pytest.raises(UserError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("labels", [[0, 10], [-1, 3]])
@SYSTEMS
def test_labels_out_of_range(kind, labels):
    tiny = system(kind, training=False)
    before = tiny.generate(tiny.latents(2, 0), [0, 1])
    rejected("classes 0 to 9", lambda: tiny.generate(tiny.latents(2, 0), labels))
    rejected("classes 0 to 9", lambda: check_labels(labels, 10, "labels.txt"))
    assert np.array_equal(before, tiny.generate(tiny.latents(2, 0), [0, 1]))


@SYSTEMS
def test_weights_of_another_number_of_classes(kind):
    name = {"sngan": "VOCAB_SIZE", "sngan_projection": "n_classes"}[kind]
    source, other = system(kind), system(kind, **{name: 12})
    for part, network in other.networks.items():
        before = dict(network.arrays())
        arrays = dict(source.networks[part].arrays())
        rejected("10 classes, this experiment has 12", lambda a=arrays, n=network: n.assign(a))
        assert all(np.array_equal(v, before[n]) for n, v in network.arrays())


@SYSTEMS
def test_data_of_another_number_of_classes(kind):
    name = {"sngan": "VOCAB_SIZE", "sngan_projection": "n_classes"}[kind]
    rejected("10 classes, this experiment 12", system(kind, **{name: 12}).source)
    rejected("out of range", system(kind, **{name: 8}).source)


def test_parameters():
    rejected("even", lambda: parameters(BATCH_SIZE=5))
    rejected("choose from", lambda: parameters(LOSS_TYPE="LSGAN"))
    rejected("too small", lambda: parameters(N_CRITIC=0))


def test_word_embedding(tmp_path):
    path = tmp_path / "words.npy"
    rejected("no such file", lambda: system(WORD2VEC_FILE=str(path)))
    np.save(path, np.ones((10, 4), np.float32))
    rejected("shape", lambda: system(WORD2VEC_FILE=str(path)))
    np.save(path, np.full((10, 3), 0.5, np.float32))
    tiny = system(WORD2VEC_FILE=str(path), CONCAT_LABEL=True)
    for network in tiny.networks.values():
        table = next(v for v in network.variables if "embedding_map" in v.name)
        assert not table.trainable and np.all(table.numpy() == 0.5)


def test_missing_data(tmp_path):
    for dataset in ("cifar10", "imagenet", "folder"):
        rejected(str(tmp_path / "none"), lambda d=dataset: open_source(d, str(tmp_path / "none"), 32, 10))


@SYSTEMS
def test_more_samples_than_there_is_memory_for(kind):
    sampler = system(kind, training=False)
    runs.check_memory(sampler, 100)
    with pytest.raises(UserError, match="100000000000 images need about .* are free"):
        runs.check_memory(sampler, 10**11)


def test_folder_of_classes(tmp_path):
    draw = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.fromarray(draw.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / name / f"{i}.png")
    tiny = system(DATASET="folder", DATA_DIR=str(tmp_path), VOCAB_SIZE=2)
    source = tiny.source()
    assert len(source) == 6 and source.image(0).shape == (16, 16, 3)
    batch = tiny.batch(0, source)
    assert batch["images"].shape == (4, 2, 16, 16, 3) and set(batch["labels"].ravel()) == {0, 1}
    rejected("smaller BATCH_SIZE", lambda: system(DATASET="folder", DATA_DIR=str(tmp_path), VOCAB_SIZE=2,
                                                  BATCH_SIZE=8).batch(0, source))


@SYSTEMS
def test_batches_are_a_function_of_the_step(kind):
    tiny = system(kind)
    source = tiny.source()
    late, early = tiny.batch(500, source), tiny.batch(3, source)
    fresh = system(kind)
    for step, batch in ((3, early), (500, late)):
        again = fresh.batch(step, source)
        assert all(np.array_equal(batch[k], again[k]) for k in batch)
    spec = tiny.batch_spec()
    assert all(spec[k].shape == early[k].shape and spec[k].dtype == early[k].dtype for k in early)


def test_every_image_once_an_epoch():
    order = ShuffledEpochs(10, 3, seed=4)
    first = np.concatenate([order.batch(k) for k in range(3)])
    assert len(set(first)) == 9
    assert set(order.epoch(1)) == set(range(10)) and not np.array_equal(order.epoch(0), order.epoch(1))


def test_converter_refuses_what_is_no_checkpoint(tmp_path):
    params = parameters()
    rejected("no checkpoint", lambda: convert.convert(str(tmp_path), params))
    rejected("cannot be read", lambda: convert.convert(str(tmp_path / "model.ckpt-5"), params))
    (tmp_path / "model.ckpt-5.index").write_bytes(b"nothing of the kind")
    rejected("cannot be read", lambda: convert.convert(str(tmp_path / "model.ckpt-5"), params))


@SYSTEMS
def test_snapshots_of_the_authors_are_our_files(tmp_path, kind):
    if kind == "sngan":
        pytest.skip("only the projection networks have Chainer's format")
    source, other = system(kind), system(kind, seed=5)
    np.savez(tmp_path / "ResNetGenerator_7.npz", **dict(source.networks["g"].arrays()))
    np.savez(tmp_path / "SNResNetProjectionDiscriminator_7.npz", **dict(source.networks["d"].arrays()))
    path = str(tmp_path / "ResNetGenerator_7.npz")
    arrays = chainer.convert(path, other.params)
    assert chainer.iteration(path, other.params) == 7 and set(arrays) == {"g", "d"}
    other.networks["g"].assign(arrays["g"])
    assert np.array_equal(source.generate(source.latents(2, 0), [1, 2]),
                          other.generate(other.latents(2, 0), [1, 2]))


class Host:
    def __init__(self, log_dir):
        self.log_dir = Path(log_dir)


def test_dev_cost_changes_nothing():
    root = Path(os.environ.get("GOLDEN", Path(__file__).parent.parent / "golden")) / "sngan/files/cifar_tiny"
    if not root.is_dir():
        pytest.skip(f"{root} is not there")
    params = parameters(DATASET="cifar10", DATA_DIR=str(root), NETWORK="cifar")
    tiny = system_class("sngan")(params)
    before = [v.numpy() for n in tiny.networks.values() for v in n.variables]
    event = next(e for e in tiny.events() if e.name == "dev cost")
    first, again = event.run(100, None), event.run(100, None)
    assert np.isfinite(first["dev_cost"]) and first == again
    assert all(np.array_equal(a, b) for a,
               b in zip(before, [v for n in tiny.networks.values() for v in n.variables]))


def test_curves_survive_a_broken_line(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"iteration": 1, "d_cost": 2.0}\n{"iteration": 2, "d_co')
    assert curves.draw_series(tmp_path, ["d_cost", "g_cost"]) == {}
    assert (tmp_path / "d_cost.png").read_bytes().startswith(b"\x89PNG") and not (
        tmp_path / "g_cost.png"
    ).exists()
    curves.draw_series(tmp_path / "nowhere", ["d_cost"])
