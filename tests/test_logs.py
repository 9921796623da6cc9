"""The log folder: fresh for a fresh run, cut back on resuming, and never the reason why a run fails."""
import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from test_trainer import Terminal, train, weights
from tiny import ROOT, workplace

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, tf1_events
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training import log_files
from tfgan_suite.training.logs import RunLog
from tfgan_suite.training.trainer import Trainer

LOGS = Path("logs/tiny")


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def iterations(folder=LOGS):
    return [json.loads(line)["iteration"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def steps(folder=LOGS, tag="G"):
    """Counter of the steps at which TensorBoard's files have a scalar."""
    found = Counter()
    for path in sorted(folder.glob(tf1_events.NAMES)):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found.update(event.step for value in event.summary.value if value.tag == tag)
    return found


def test_the_last_scalars_are_there(place):
    train(MAXITER=5)
    assert iterations() == [2, 4, 5] and steps() == Counter([2, 4, 5])


def test_a_resumed_run_cuts_its_logs_back(place):
    """Records after the checkpoint, doubled ones and a torn line go."""
    train(MAXITER=4)
    checkpoint = {path.name: path.read_bytes() for path in Path("models/tiny").iterdir()}
    train(MAXITER=8)
    for path in Path("models/tiny").iterdir():
        path.unlink()
    for name, data in checkpoint.items():
        Path("models/tiny", name).write_bytes(data)
    with open(LOGS / "metrics.jsonl", "a") as file:
        file.write('{"iteration": 4, "G": 0.')
    newest = max(LOGS.glob(tf1_events.NAMES), key=lambda path: path.stat().st_mtime)
    with open(newest, "ab") as file:
        file.write(b"torn")
    train(MAXITER=6)
    assert iterations() == [2, 4, 6] and steps() == Counter([2, 4, 6])
    starts = [event for path in LOGS.glob("*resumed*")
              for event in tf.compat.v1.train.summary_iterator(str(path))]
    assert {event.step for event in starts if event.HasField("session_log")} == {5}


def test_a_fresh_run_moves_the_old_logs_aside(place):
    train()
    _, lines = train(wts_dir="models/b", seed=1)
    assert "Note: logs/tiny holds logs of an earlier run; they are now in logs/tiny/earlier" in lines
    assert iterations() == [2, 4] and iterations(LOGS / "earlier") == [2, 4]
    assert json.loads((LOGS / "config.json").read_text())["parameters"]["seed"] == 1
    _, lines = train(MAXITER=6)  # back to the first: the logs are the second one's
    assert "Note: logs/tiny holds logs of models/b; they are now in logs/tiny/earlier-2" in lines


def test_only_log_files_move(place):
    """Even if the log folder is the current one."""
    train(log_dir=".", wts_dir="a")
    train(log_dir=".", wts_dir="b")
    assert {"exp", "data", "a", "b"} <= set(os.listdir())
    assert set(os.listdir("earlier")) >= {"metrics.jsonl", "config.json", "samples"}


def test_a_full_disk_does_not_stop_the_training(place, monkeypatch):
    def full(self, line):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tfgan_suite.training.logs._Lines.write", full)
    out = io.StringIO()
    with pytest.raises(UserError,
                       match="logs/tiny: logs are incomplete .No space left on device.; the weights in "
                             "models/tiny are"):
        Trainer(experiment.load("tiny"), out).run()
    assert out.getvalue().count("Warning") == 1 and Checkpoints("models/tiny").complete() == [4]


def test_a_full_disk_leaves_no_torn_line(tmp_path):
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tfgan_suite.training.logs import _Lines
lines = _Lines(Path({str(tmp_path / 'metrics.jsonl')!r}))
lines.write("x" * 50)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (80, 80))
try:
    lines.write("y" * 50)
except OSError:
    print("full")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "full\n", done.stderr
    assert (tmp_path / "metrics.jsonl").read_text() == "x" * 50 + "\n"


def test_events_that_cannot_write_their_files_are_logs(place, monkeypatch):
    def full(path, data):
        raise archive.CannotWrite(path, f"{path}: cannot write: No space left on device")

    monkeypatch.setattr("tfgan_suite.pictures.saving.write_bytes", full)
    with pytest.raises(UserError, match="logs are incomplete"):
        train()
    assert Checkpoints("models/tiny").complete() == [4]


def test_a_console_that_nobody_reads(place):
    """`./train.py | head`: training goes on, and says so where it can."""
    command = [sys.executable, str(ROOT / "train.py"), "tiny", "--MAXITER=30", "--SAVEFREQ=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(timeout=90) == 0 and "training goes on as process" in said
    assert Checkpoints("models/tiny").complete() == [30]


@pytest.mark.parametrize("alive", [0, 40, 400])
def test_a_terminal_that_closes(place, capfd, alive):
    """The bar writes too, and what it meets is no reason to stop either."""
    class Closing(io.StringIO):
        left = alive

        def isatty(self):
            return True

        def write(self, text):
            self.left -= len(text)
            if self.left < 0:
                raise OSError(5, "Input/output error")
            return super().write(text)

    Trainer(experiment.load("tiny"), Closing()).run()
    assert Checkpoints("models/tiny").complete() == [4]
    assert capfd.readouterr().err.count("the console cannot be written (Input/output error)") == 1


@pytest.mark.parametrize("weights, logs, path, is_of_logs", [
    ("m", "l", "m/iter_2.gmodel.npz", False), ("m", "l", "l/samples", True), ("m", "m/l", "m/l/x.png", True),
    ("m", "m/l", "m/iter_2.state.npz", False), ("m", "m", "m/x.png", False), ("m", "l", "elsewhere", True),
    ("m", "l", "mm/x", True)])
def test_what_counts_as_a_log(tmp_path, weights, logs, path, is_of_logs):
    params = experiment.load("digits", {"wts_dir": str(tmp_path / weights), "log_dir": str(tmp_path / logs)})
    log = RunLog(params)
    assert log.is_of_logs(archive.CannotWrite(tmp_path / path, "")) == is_of_logs
    assert log.is_of_logs(OSError(28, "full", os.fsencode(tmp_path / path))) == is_of_logs
    assert log.is_of_logs(OSError("of no file"))


def test_lines_carry_the_time_of_their_iteration_and_the_bar_moves_at_once(place, monkeypatch):
    monkeypatch.setattr("tfgan_suite.training.trainer.MOST_SECONDS", 1e9)
    monkeypatch.setattr("tfgan_suite.training.trainer.MOST_PENDING", 3)
    clock = iter(range(10**9, 2 * 10**9, 60))
    monkeypatch.setattr("tfgan_suite.training.trainer.time.time", lambda: next(clock))
    out = io.StringIO()
    Trainer(experiment.load("tiny", {"MAXITER": "5"}), out).run()
    stamps = [line[:19] for line in out.getvalue().splitlines() if "Adam Loss" in line]
    assert len(set(stamps)) == 5
    monkeypatch.undo()
    os.chdir(place)
    moved, out = [], Terminal()
    trainer = Trainer(experiment.load("tiny", {"MAXITER": "7", "SAVEFREQ": "0", "wts_dir": "m"}), out)
    monkeypatch.setattr("tfgan_suite.training.trainer.MOST_SECONDS", 1e9)
    old = trainer._show

    def show(first, last, scalars):
        old(first, last, scalars)
        moved.append(trainer.log.bar.n)

    monkeypatch.setattr(trainer, "_show", show)
    trainer.run()
    assert moved == [1, 7]  # the first iteration is shown at once


def test_cutting_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"iteration": 2}\n{"iteration": null, "fid": 3}\n{"iter\n{"iteration": 4}\n'
        '[1]\n{"iteration": 6}\n{"itera'
    )
    log_files.cut_metrics(path, 4)
    assert path.read_text() == '{"iteration": 2}\n{"iteration": null, "fid": 3}\n{"iteration": 4}\n'


def test_an_error_within_an_iteration_saves_nothing_half_trained(place, monkeypatch):
    train(MAXITER=2)
    before = weights("models/tiny", 2)
    trainer = Trainer(experiment.load("tiny", {"MAXITER": "6"}), io.StringIO())

    def broken(step, batch):
        raise MemoryError("no room for the tensors")

    function, calls = trainer.function, []

    def second(*phase_and_step):
        calls.append(phase_and_step)
        return function(*phase_and_step) if len(calls) < 2 else broken

    monkeypatch.setattr(trainer, "function", second)
    with pytest.raises(MemoryError, match="no room"):
        trainer.run()
    assert Checkpoints("models/tiny").complete() == [2]
    for name, value in before.items():
        if not name.endswith("about"):
            np.testing.assert_array_equal(value, weights("models/tiny", 2)[name])
