"""The three systems: runs, resuming, files, weights from elsewhere, bad input."""
import io
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from lis_support import host, parameters
from PIL import Image

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive
from tfgan_suite.lis import data, history, reports, split
from tfgan_suite.lis import weights as weights_of
from tfgan_suite.lis.reports import Record, training_loss
from tfgan_suite.lis.system import SYSTEMS, GLis
from tfgan_suite.random import Draws
from tfgan_suite.training.trainer import Trainer

TRAINED = ("glis", "lis_iterative")


def train(params) -> Trainer:
    """A whole run; returns the trainer."""
    trainer = Trainer(params, io.StringIO())
    trainer.run()
    return trainer


def untrained(folder) -> None:
    """A checkpoint of a G-LIS run that has not begun."""
    system = SYSTEMS["glis"](parameters("glis", folder))
    for kind, network in system.networks.items():
        archive.make_folder(folder / "models")
        archive.write(folder / "models" / f"iter_0.{kind}model.npz", network.arrays())


def weights(params, kinds):
    """Every array of the last checkpoint."""
    files = {kind: Archive(f"{params.wts_dir}/iter_{params.niter}.{kind}.npz") for kind in kinds}
    return {f"{kind}/{name}": file[name] for kind, file in files.items() for name in file
            if name != "about"}


@pytest.mark.parametrize("system", TRAINED)
def test_two_runs_and_a_resumed_one_are_equal_to_the_bit(system, tmp_path):
    more = {"norm": "batch", "d_dropout": 0.3, "test_interval": 3}
    if system == "lis_iterative":
        more = {"r_iterations": 1, "spatial_dropout_r": 0.3, "test_interval": 3}
    whole = parameters(system, tmp_path / "a", **more)
    trainer = train(whole)
    train(parameters(system, tmp_path / "b", **{**more, "niter": 2}))
    resumed = parameters(system, tmp_path / "b", **more)
    train(resumed)
    kinds = [f"{kind}model" for kind in trainer.system.networks] + ["state"]
    first, second = weights(whole, kinds), weights(resumed, kinds)
    assert set(first) == set(second)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_separate_runs_on_a_finished_run_and_resumes(tmp_path):
    glis = parameters("glis", tmp_path / "g", norm="batch")
    train(glis)
    more = {"load_path": glis.wts_dir, "norm": "batch", "spatial_dropout_r": 0.2}
    whole = parameters("lis_separate", tmp_path / "a", **more)
    trainer = train(whole)
    before = dict(Archive(f"{glis.wts_dir}/iter_4.gmodel.npz"))
    for name in ("samples/sample_0.jpg", "samples_r/sample_0_r.jpg", "samples_both/sample_0_both.jpg"):
        assert (tmp_path / "a" / "logs" / name).is_file(), name  # before training too
    for name, array in trainer.system.g_lis.arrays():
        if "running" not in name:
            np.testing.assert_array_equal(array, before[name])
    train(parameters("lis_separate", tmp_path / "b", **{**more, "niter": 2}))
    resumed = parameters("lis_separate", tmp_path / "b", **more)
    train(resumed)
    first, second = (weights(p, ("rmodel", "state")) for p in (whole, resumed))
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


@pytest.mark.parametrize("system", TRAINED)
def test_files_of_a_run(system, tmp_path):
    params = parameters(system, tmp_path, vis_interval=2, test_interval=2, save_interval=4, final_test=True,
                        log_every=2,
                        r_iterations=1, vis_row=2, vis_col=3)
    train(params)
    logs = tmp_path / "logs"
    size = (28, 19) if system == "glis" else (32, 22)
    assert Image.open(logs / "samples" / "sample_4.jpg").size == size
    for name in ("samples/sample_0.jpg", "samples/sample_4.jpg", "samples_r0/sample_2_r.jpg",
                 "samples_all/sample_4_all.jpg",
                 "real_images.jpg", "running_test/target.jpg", "running_test/test_2.jpg",
                 "running_test/r0_test_4.jpg",
                 "running_test/all_test_4.jpg", "samples/vis_code.npy", "best_test/0.png",
                 "chains/iter_4.png"):
        assert (logs / name).is_file(), name
    losses = reports.losses_of(logs / "log" / "loss_4.npz")
    assert losses["training_loss"].shape == (2, 3)
    assert losses["test_loss"] > 0
    assert reports.result_of(logs / "best_test" / "loss.json")["images"] == 200
    assert len(list((tmp_path / "models" / "best").glob("iter_*.gmodel.npz"))) == 1
    assert not (tmp_path / "models" / "iter_2.dmodel.npz").is_file()
    entries = [json.loads(line) for line in (logs / "metrics.jsonl").read_text().splitlines()]
    found = {e["iteration"] for e in entries if "loss-d-mix/train-d-real" in e}
    assert found == {1, 2, 3, 4}, "every iteration is in the history, whatever log_every"
    assert all(v != -1 for e in entries for n, v in e.items() if n.startswith("loss-"))


def test_metrics_are_read_once_for_all_plots(tmp_path, monkeypatch):
    params = parameters("glis", tmp_path, vis_interval=1, log_every=1, niter=2)
    train(params)
    read = []
    monkeypatch.setattr(reports, "from_metrics",
                        lambda *given: read.append(given) or history.from_metrics(*given))
    monkeypatch.setattr(GLis, "plot_interval", 1)
    longer = parameters("glis", tmp_path, vis_interval=1, log_every=1, niter=4)
    told = train(longer).system.reports._history(None, 0)
    assert len(read) == 1
    kept = history.from_metrics(tmp_path / "logs" / "metrics.jsonl", GLis.history_lines(longer))
    assert kept.csv(kernel_size=1) == told.csv(kernel_size=1)
    assert Image.open(tmp_path / "logs" / "loss.jpg").size[0] >= 1000


@pytest.mark.parametrize("system", [*TRAINED, "lis_separate"])
def test_the_number_of_replicas_does_not_change_the_draws(system, tmp_path):
    if system == "lis_separate":
        untrained(tmp_path)
        net = SYSTEMS[system](parameters(system, tmp_path / "r", load_path=str(tmp_path / "models")))
    else:
        net = SYSTEMS[system](parameters(system, tmp_path))
    a, b = (net.draws(Draws(3, tf.constant(s, tf.int64)), 0) for s in (5, 6))
    for name in a:
        if name.startswith("noise"):
            assert a[name].shape == (4, 5)
            assert not np.array_equal(a[name], b[name])


def test_always_train_all_executes_all_modules(tmp_path):
    """In the original it crashes."""
    system = SYSTEMS["glis"](parameters("glis", tmp_path, always_train_all=True))
    scalars = system.iteration(tf.constant(0, tf.int64), {"images": tf.zeros((4, 8, 8, 3))})
    assert float(scalars["d-fake2"]) != -1
    assert float(scalars["g2"]) != -1
    assert float(scalars["g0"]) == -1
    system = SYSTEMS["lis_iterative"](parameters("lis_iterative", tmp_path, always_train_all=True))
    assert {system.phase(i) for i in range(50)} == {0}


def test_iterative_takes_a_real_batch_for_each_round_that_trains(tmp_path):
    system = SYSTEMS["lis_iterative"](parameters("lis_iterative", tmp_path))
    source = system.source()
    phases = [system.phase(i) for i in range(40)]
    assert set(phases) == {0, 1, 2}
    for step in (0, 7, 39):
        shown = sum(3 - p for p in phases[:step]) * 4
        assert system.images_shown(step) == shown
        images = system.batch(step, source)["images"]
        assert images.shape == (4, 3 - phases[step], 8, 8, 3)
        np.testing.assert_array_equal(images[:, 0], source.batch(shown, 4))
    fresh = SYSTEMS["lis_iterative"](parameters("lis_iterative", tmp_path))
    assert fresh.images_shown(3000) == system.images_shown(3000)


def test_load_path_starts_from_another_run(tmp_path):
    glis = parameters("glis", tmp_path / "a", niter=2)
    old = train(glis).system
    fresh = SYSTEMS["glis"](parameters("glis", tmp_path / "b", load_path=glis.wts_dir))
    for kind in ("g", "d"):
        held = dict(old.networks[kind].arrays())
        assert all(np.array_equal(held[n], v) for n, v in fresh.networks[kind].arrays())
        for a, b in zip(old.optimizers[kind].variables[2:], fresh.optimizers[kind].variables[2:]):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    more = parameters("glis", tmp_path / "c", load_path=glis.wts_dir, load_tolerant=True, r_iterations=3)
    g, first = SYSTEMS["glis"](more).networks["g"], "initial_linear.0.weight"
    assert np.array_equal(dict(g.arrays())[first], dict(old.networks["g"].arrays())[first])


def test_load_path_equal_to_the_save_path_means_go_on(tmp_path, capsys):
    """The original's README resumes like this; the folder of a load_path is not needed any more then."""
    train(parameters("glis", tmp_path, niter=1))
    console = io.StringIO()
    Trainer(parameters("glis", tmp_path, niter=2, load_path=str(tmp_path)), console).run()
    Trainer(parameters("glis", tmp_path, niter=3, load_path=str(tmp_path / "gone")), console).run()
    assert (
        "Starting from Iteration 1" in console.getvalue()
        and "Starting from Iteration 2" in console.getvalue()
    )
    assert "Starting from" not in capsys.readouterr().out
    SYSTEMS["glis"](parameters("glis", tmp_path / "fresh", load_path=str(tmp_path)))
    assert f"Starting from {tmp_path / 'models'}/iter_3" in capsys.readouterr().out


def test_only_g_lis_cuts_the_similarity_losses_of_its_history(tmp_path):
    for name, expected in (("glis", 1.0), ("lis_iterative", 2.5)):
        system = SYSTEMS[name](parameters(name, tmp_path))
        lines = system.lines({**dict.fromkeys(system.losses(), 0.5), "r0": 2.5, "r1": -1.0})
        assert lines["loss-r-mix/train-r0"] == expected
        assert "loss-r-mix/train-r1" not in lines


def test_record_keeps_what_occurred():
    record = Record(("a", "b"), 3)
    for step in range(5):
        record.put(tf.constant(step, tf.int64), {"a": float(step), "b": -1.0})
    iterations, rows = record.rows(5, 10)
    assert iterations.tolist() == [3, 4, 5]
    assert rows[:, 0].tolist() == [2, 3, 4]
    assert training_loss(record, 5, 3, ("a", "b")).tolist() == [[3, 0], [4, 0], [2, 0]]


def test_reconstruction_comes_nearer_and_leaves_the_network(tmp_path):
    system = SYSTEMS["glis"](parameters("glis", tmp_path, test_steps=30))
    before = dict(system.networks["g"].arrays())
    targets = system.all_stages(system.latents(6, 1))[-1]
    search = reports.search(system)
    _, images, loss = search(targets)
    start = float(np.mean((system.all_stages(np.zeros((6, 5), np.float32))[-1] - targets) ** 2))
    assert loss < start
    assert images.shape == targets.shape
    assert all(np.array_equal(before[n], v) for n, v in system.networks["g"].arrays())


def test_output_scale_is_clipped(tmp_path):
    """Negative numbers wrap around in the original."""
    system = SYSTEMS["glis"](parameters("glis", tmp_path, output_scale=True))
    bytes_ = system.to_uint8(np.array([-1.0, 0.0, 1.0]))
    assert bytes_.tolist() == [0, 0, 255]


def test_a_missing_best_network_is_said_and_never_replaced(tmp_path):
    untrained(tmp_path)
    params = parameters("glis", tmp_path, test_interval=100, niter=1, final_test=True)
    with pytest.raises(UserError, match="no checkpoint for --net=best .no running test"):
        reports.tested_file(params)
    with pytest.raises(UserError, match="holds no best network"):
        weights_of.find(tmp_path / "models", "best")


def test_g_and_d_are_of_one_iteration(tmp_path):
    untrained(tmp_path)
    (tmp_path / "models" / "iter_0.gmodel.npz").rename(tmp_path / "models" / "iter_3.gmodel.npz")
    origin, d = weights_of.find(tmp_path / "models",
                                "3"), SYSTEMS["glis"](parameters("glis", tmp_path)).networks["d"]
    with pytest.raises(UserError, match="iter_3.dmodel.npz: no such file; of D there are the iterations 0"):
        origin.fill("d", d)


def test_pictures_take_the_codes_that_are_kept(tmp_path):
    system = SYSTEMS["glis"](parameters("glis", tmp_path))
    kept = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    assert not np.array_equal(system.reports.codes(), kept)
    folder = archive.make_folder(tmp_path / "logs" / "samples")
    np.save(folder / "vis_code.npy", kept)
    np.testing.assert_array_equal(system.reports.codes(), kept)
    np.save(folder / "vis_code.npy", kept[:3])
    with pytest.raises(UserError, match="codes of shape .3, 5., these pictures need .4, 5."):
        system.reports.codes()
    (folder / "vis_code.npy").write_bytes(b"no table")
    with pytest.raises(UserError, match="holds no codes"):
        system.reports.codes()


def test_the_console_tells_how_long_the_data_took(tmp_path):
    console = io.StringIO()
    Trainer(parameters("glis", tmp_path, niter=2), console).run()
    lines = [line for line in console.getvalue().splitlines() if " | d-real: " in line]
    assert len(lines) == 2 and all(re.search(r" t_real: \d+\.\d{3}s$", line) for line in lines)


def test_output_scale_is_in_targets_and_final_tests_too(tmp_path):
    params = parameters("glis", tmp_path, output_scale=True, test_steps=1)
    system = SYSTEMS["glis"](params)
    images = data.LisImages(ArraySource(np.full((20, 8, 8, 3), 100, np.uint8)), split.make(20, 2, 4),
                            data.Sizes((8, 8)))
    system.reports.visualise(0, host(params, images))
    # 2 * 100 / 255 < 1
    assert np.asarray(Image.open(tmp_path / "logs" / "running_test" / "target.jpg")).max() < 20
    reports.final_test(system, images.test("final_test"), tmp_path / "test")
    assert np.asarray(Image.open(tmp_path / "test" / "0.png"))[2:10, 2:10].max() == 0


@pytest.mark.parametrize(("system", "changes", "word"), [
    ("glis", {"image_size": 9}, "odd"),
    ("glis", {"net": "newest"}, "best, last"),
    ("glis", {"image_size": -1}, "image_size"),
    ("glis", {"crop_size": 100}, "crop"),
    ("glis", {"dataset": "folder", "dataroot": "missing"}, "missing"),
    ("glis", {"load_path": "missing"}, "missing"),
    ("lis_separate", {}, "load_path"),
    ("lis_separate", {"load_path": "missing"}, "missing"),
])
def test_bad_input(system, changes, word, tmp_path):
    with pytest.raises(UserError, match=word) as caught:
        built = SYSTEMS[system](parameters(system, tmp_path, **changes))
        built.batch(0, built.source())
    assert "\n" not in str(caught.value)


def test_more_modules_than_the_finished_run_has(tmp_path):
    untrained(tmp_path)
    with pytest.raises(UserError, match="2 LIS modules"):
        SYSTEMS["lis_separate"](parameters("lis_separate", tmp_path, load_path=f"{tmp_path}/models",
                                           r_iterations=3))


def test_fewer_than_64_training_images(tmp_path):
    """The original needs 64 for its picture of them."""
    params = parameters("glis", tmp_path)
    images = data.LisImages(ArraySource(np.zeros((20, 8, 8, 3), np.uint8)), split.make(20, 2, 4),
                            data.Sizes((8, 8)))
    SYSTEMS["glis"](params).reports.visualise(1, host(params, images))
    assert Image.open(tmp_path / "logs" / "real_images.jpg").size == (8 * 9 + 1, 2 * 9 + 1)
    assert Image.open(tmp_path / "logs" / "running_test" / "target.jpg").size == (2 * 10 + 2, 10 + 2)


def test_the_learning_rate_is_no_part_of_the_state(tmp_path):
    """A resumed run takes --lr."""
    system = SYSTEMS["glis"](parameters("glis", tmp_path, lr=0.25))
    assert not [name for name in system.state() if "learning_rate" in name]
    assert float(system.optimizers["g"].learning_rate) == 0.25


def test_events_do_not_need_a_trainer(tmp_path):
    params = parameters("lis_iterative", tmp_path)
    system = SYSTEMS["lis_iterative"](params)
    there = host(params, system.source())
    system.record.put(tf.constant(0, tf.int64), dict.fromkeys(system.losses(), 0.5))
    for event in system.events():
        if event.name != "loss.jpg":  # it reads the trainer's metrics.jsonl
            event.run(1, there)
    assert there.logged[0][1]["loss-d-mix/train-d-real"] == 0.5
