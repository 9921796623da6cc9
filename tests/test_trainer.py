"""The training loop: exact resume, equal runs, signals, divergence, devices."""
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from tiny import ROOT, run, workplace

from tfgan_suite import experiment
from tfgan_suite.errors import Diverged, UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training import dry_run
from tfgan_suite.training.trainer import Trainer


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def train(**overrides):
    out = io.StringIO()
    trainer = Trainer(experiment.load("tiny", {k: str(v) for k, v in overrides.items()}), out)
    trainer.run()
    return trainer, [line[20:] for line in out.getvalue().splitlines()]


def weights(folder, number):
    """Every array of a checkpoint: weights, optimiser slots."""
    files = Checkpoints(folder)
    found = {kind: Archive(files.path(kind, number)) for kind in ("g", "d", "state")}
    return {f"{kind}/{n}": arrays[n] for kind, arrays in found.items() for n in arrays if n != "about"}


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_files_and_lines_of_a_run(place):
    _, lines = train()
    assert (
        lines.pop(0) == "Wrote 2 discriminator projections to models/tiny/filts.npz (filts=4,2,1,2, seed 3)."
    )
    assert lines[0] == "Starting from Iteration 0"
    assert lines[1].startswith("[000000000] Adam Loss: G=0.") and lines[2].startswith("[000000000]* L00=0.")
    assert lines[-2:] == ["Saved G weights to models/tiny/iter_4.gmodel.npz",
                          "Saved D weights to models/tiny/iter_4.dmodel.npz"]
    assert len(lines) == 1 + 2 * 4 + 1 + 2 and lines[3].startswith("First iteration done after ")
    log = place / "logs/tiny"
    config = json.loads((log / "config.json").read_text())
    assert config["parameters"]["f1"] == 8 and "RP-GAN on a handful" in config["source"]
    entries = [json.loads(line) for line in (log / "metrics.jsonl").read_text().splitlines()]
    assert [e["iteration"] for e in entries] == [2, 4] and {"G", "D", "L/00", "L/01"} <= set(entries[0])
    assert (log / "samples/iter_4.png").is_file() and list(log.glob("events.out.tfevents.*"))
    assert sorted(p.name for p in (place / "models/tiny").iterdir()) == [
        "filts.npz", "iter_4.dmodel.npz", "iter_4.gmodel.npz", "iter_4.state.npz"]


def test_one_line_of_losses_in_so_many_seconds(place):
    _, lines = train(console_every=1000)
    told = [line for line in lines if line.startswith("[")]
    assert len(told) == 1 and re.fullmatch(r"\[000000000\] Adam Loss: G=\S+,D=\S+ \(25%\)", told[0])
    assert lines[-1] == "Saved D weights to models/tiny/iter_4.dmodel.npz"


def test_two_runs_are_equal_and_a_seed_is_not(place):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(wts_dir=name, seed=seed)
    same(weights("a", 4), weights("b", 4))
    assert not np.array_equal(weights("a", 4)["g/c1_w"], weights("c", 4)["g/c1_w"])


def test_resume_in_a_new_process_is_exact(place):
    train(MAXITER=8)
    train(MAXITER=4, wts_dir="models/parts")
    done = run("train.py", "tiny", "--MAXITER=8", "--wts_dir=models/parts")
    assert done.returncode == 0, done.stderr
    assert "Restoring D from models/parts/iter_4.dmodel.npz" in done.stdout
    same(weights("models/tiny", 8), weights("models/parts", 8))


def test_snapshots_of_g_stay_and_others_go(place):
    train(MAXITER=6, SAVEFREQ=2)
    files = Checkpoints("models/tiny")
    assert (files.numbers("g"), files.numbers("d"), files.numbers("state")) == ([2, 4, 6], [6], [6])
    train(MAXITER=7, SAVEFREQ=2)
    train(MAXITER=9, SAVEFREQ=0)
    assert files.numbers("g") == [2, 4, 6, 7, 9]  # 7 is no multiple, but with SAVEFREQ 0 nothing is cleaned


def test_an_incomplete_checkpoint_is_ignored(place):
    train(MAXITER=2, SAVEFREQ=2)
    (place / "models/tiny/iter_3.gmodel.npz").write_bytes(
        (place / "models/tiny/iter_2.gmodel.npz").read_bytes()
    )
    _, lines = train(MAXITER=3)
    assert "Ignoring models/tiny/iter_3.gmodel.npz: its checkpoint is not complete" in lines
    assert "Starting from Iteration 2" in lines


def test_files_of_the_original_program_are_resumed(place):
    train(MAXITER=4, SAVEFREQ=2)
    (place / "models/tiny/iter_4.state.npz").unlink()
    os.rename("models/tiny/iter_4.dmodel.npz", "models/tiny/iter_3.dmodel.npz")
    _, lines = train(MAXITER=5)
    assert "Note: D is of iteration 3, G of iteration 4" in lines
    assert any("optimisers start afresh" in line for line in lines) and "Starting from Iteration 4" in lines


def test_other_networks_or_data_are_refused(place):
    train()
    before = weights("models/tiny", 4)
    with pytest.raises(UserError, match="was trained with f1=8, this run has f1=16"):
        train(f1=16)
    same(before, weights("models/tiny", 4))


def test_divergence_names_the_scalar_and_keeps_the_checkpoint(place, monkeypatch):
    train(MAXITER=4)
    before = weights("models/tiny", 4)
    trainer = Trainer(experiment.load("tiny", {"MAXITER": "9"}), io.StringIO())
    batch = trainer.system.batch

    def broken(step, source):
        images = batch(step, source)
        return {"real": images["real"] * np.float32(np.inf if step == 5 else 1)}

    monkeypatch.setattr(trainer.system, "batch", broken)
    with pytest.raises(Diverged, match="iteration 5: 'D' is not finite"):
        trainer.run()
    same(before, weights("models/tiny", 4))
    assert Checkpoints("models/tiny").newest("g") == 4


def test_an_error_in_the_data_saves_first(place, monkeypatch):
    trainer = Trainer(experiment.load("tiny", {"MAXITER": "9"}), io.StringIO())
    batch = trainer.system.batch

    def broken(step, source):
        if step == 3:
            raise UserError("data/3.png: vanished")
        return batch(step, source)

    monkeypatch.setattr(trainer.system, "batch", broken)
    with pytest.raises(UserError, match="vanished"):
        trainer.run()
    assert Checkpoints("models/tiny").complete() == [3]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_iteration_and_saves(place, number):
    command = [sys.executable, str(ROOT / "train.py"), "tiny", "--MAXITER=1e6", "--SAVEFREQ=0",
               "--log_every=1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "[000000003]*" in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Stopped!" in out and "Saved D weights" in out
    assert "then saving; Ctrl-C again stops without saving" in out
    (complete,) = Checkpoints("models/tiny").complete()
    assert complete >= 4
    assert f"iter_{complete}.state.npz" in os.listdir("models/tiny")


def test_a_profile_is_written(place):
    train(profile="1:3")
    assert list((place / "logs/tiny").glob("**/*.xplane.pb"))
    for bad in ("3", "3:1", "a:b"):
        with pytest.raises(UserError, match="two iterations"):
            train(profile=bad, MAXITER=9)


def test_a_folder_that_cannot_be_written(place):
    (place / "logs").write_text("a file")
    with pytest.raises(UserError, match="logs/tiny"):
        train()
    (place / "logs").unlink()
    (place / "odd").write_text("a file")
    with pytest.raises(UserError, match="odd"):
        train(wts_dir="odd/x", system="rpgan_baseline")


def test_dry_run_tells_and_trains_nothing(place):
    done = run("train.py", "tiny", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "network G: Generator" in done.stdout and "GiB" in done.stdout and "c0_0_w" in done.stdout
    assert "parameters" in done.stdout and "free here" in done.stdout
    assert not (place / "models").exists() and not (place / "logs").exists()


def test_dry_run_of_a_long_list_of_arrays():
    """The line that stands for the rest is no array."""
    assert dry_run._some([f"  a{i}  3x3" for i in range(43)])[39:] == ["  a39  3x3",
                                                                       "  ... and 3 more arrays"]
    assert dry_run._some(["  a  scalar"]) == ["  a  scalar"]


def test_dry_run_tells_the_plan_and_counts_the_heaviest_iteration(monkeypatch):
    """With lazy regularisation the iteration with the extra terms counts; equal names in two networks
    stay."""
    given = {"endRes": "16", "fmapBase": "32", "fmapMax": "8", "latentSize": "8", "ema": "True"}
    every, lazy = (dry_run.describe(experiment.load("digits_pggan", {**given, "lazyRegularization": n}))
                   for n in ("1", "7"))
    assert "4x4: batch 16, from iteration 0, 0 images before" in every
    memory = [text.split("memory: ")[1].split(", on one device")[0] for text in (every, lazy)]
    assert memory[0] == memory[1]
    networks = every.split("network ")
    assert networks[1].splitlines()[1:] == [line for line in networks[3].splitlines()[1:]
                                            if line.startswith("  ")]
    monkeypatch.setattr("tfgan_suite.files.memory.available", lambda: 1000)
    assert "too little memory" in dry_run.describe(experiment.load("jsreg_mixture"))


def test_a_second_ctrl_c_stops_at_once(place):
    command = [sys.executable, str(ROOT / "train.py"), "tiny", "--MAXITER=1e6", "--SAVEFREQ=0",
               "--log_every=1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "[000000003]*" in line:
            break
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130) and "Traceback" not in err
    assert len(Checkpoints("models/tiny").complete()) == (process.returncode == 0)
    assert not list((place / "models/tiny").glob("*.partial"))


DEVICES = """
import sys
sys.path.insert(0, {root!r})
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import io
from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer
trainer = Trainer(experiment.load("tiny", {{"wts_dir": "two"}}), io.StringIO())
assert trainer.strategy.num_replicas_in_sync == 2
trainer.run()
"""


def test_two_devices_equal_one(place):
    train(wts_dir="one")
    (place / "call.py").write_text(DEVICES.format(root=str(ROOT)))
    done = subprocess.run([sys.executable, "call.py"], capture_output=True, text=True, check=False,
                          timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = weights("one", 4), weights("two", 4)
    for name in one:
        if name.startswith(("g/", "d/")):
            np.testing.assert_allclose(one[name], two[name], atol=5e-6 * 4, err_msg=name)


class Terminal(io.StringIO):
    """A console that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_gets_a_progress_bar(place):
    out = Terminal()
    Trainer(experiment.load("tiny"), out).run()
    text = out.getvalue()
    assert "tiny" in text and "4/4" in text and "it/s" in text and "img/s" in text and "G=" in text
    assert "[000000000]" not in text and "Saved G weights" in text


def test_bfloat16_trains(place):
    train(MAXITER=3, wts_dir="exact")
    train(MAXITER=3, wts_dir="half", precision="bfloat16")
    a, b = weights("exact", 3), weights("half", 3)
    assert b["g/c2_w"].dtype == np.float32 and not np.array_equal(a["g/c2_w"], b["g/c2_w"])
    np.testing.assert_allclose(a["g/c2_w"], b["g/c2_w"], atol=2e-3)


def test_precision_does_not_leak(place):
    train(MAXITER=1, precision="bfloat16")
    trainer, _ = train(MAXITER=1, wts_dir="b")
    assert trainer.system.networks["g"].compute_dtype == "float32"


def test_a_precision_that_a_system_has_not_is_refused(place, monkeypatch):
    monkeypatch.setattr("tfgan_suite.rpgan.system.RPGAN.precisions", ("float32",))
    with pytest.raises(UserError, match="computes in float32; leave --precision out"):
        train(precision="bfloat16")
