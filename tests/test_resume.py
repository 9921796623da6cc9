"""Going on with a run: which checkpoint, with which values, and what it says."""
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from test_trainer import same, train, weights
from tiny import run, workplace

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training.trainer import Trainer

MODELS = Path("models/tiny")


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def start(wanted=None, change=False, **overrides):
    out = io.StringIO()
    trainer = Trainer(experiment.load("tiny", {k: str(v) for k, v in overrides.items()}), out, wanted, change)
    trainer.run()
    return [line[20:] for line in out.getvalue().splitlines()]


def config():
    return json.loads(Path("logs/tiny/config.json").read_text())


def original(number, kinds=("g", "d")):
    """Network files as the original program writes them, from the weights of the newest checkpoint."""
    files = Checkpoints(MODELS)
    for kind in kinds:
        archive.write(files.path(kind, number), Archive(files.path(kind, files.newest(kind))).items())


# -- which checkpoint ----------------------------------------------------------------------------------------
def test_a_lone_newer_file_is_ignored_and_then_moved_aside(place):
    """The number just written is never deleted, and the odd file neither."""
    train(MAXITER=4)
    original(20, ("g",))
    odd = (MODELS / "iter_20.gmodel.npz").read_bytes()
    lines = start(MAXITER=6, SAVEFREQ=2)
    assert "Ignoring models/tiny/iter_20.gmodel.npz: its checkpoint is not complete" in lines
    assert "Starting from Iteration 4" in lines
    assert any("now in models/tiny/aside" in line for line in lines)
    assert Checkpoints(MODELS).complete() == [6] and Checkpoints(MODELS).newest("g") == 6
    assert (MODELS / "aside/iter_20.gmodel.npz").read_bytes() == odd


def test_a_newer_pair_of_the_original_is_used(place):
    train(MAXITER=4)
    original(20)
    lines = start(MAXITER=22)
    assert any(line.startswith("Note: iteration 20 has no state file") for line in lines)
    assert "Starting from Iteration 20" in lines and any("optimisers start afresh" in line for line in lines)
    assert Checkpoints(MODELS).complete() == [22] and (MODELS / "iter_20.dmodel.npz").is_file()


def test_an_incomplete_first_checkpoint_starts_anew(place):
    """A state without its G is what a kill within the first save leaves."""
    train(MAXITER=4)
    whole = weights("models/tiny", 4)
    (MODELS / "iter_4.gmodel.npz").unlink()
    lines = start()
    assert "Starting from Iteration 0" in lines
    same(weights("models/tiny", 4), whole)


def test_going_back(place):
    train(MAXITER=8, SAVEFREQ=2, keep_every=4)
    whole = weights("models/tiny", 8)
    with pytest.raises(UserError, match="--from=6: models/tiny holds no whole checkpoint.*there are: 4, 8"):
        start(6, MAXITER=8)
    train(MAXITER=9, keep_every=4)
    lines = start(4, MAXITER=8, keep_every=4, SAVEFREQ=2)
    assert "Starting from Iteration 4" in lines
    same(weights("models/tiny", 8), whole)
    assert sorted(path.name for path in (MODELS / "aside").glob("*9*")) == [
        "iter_9.dmodel.npz", "iter_9.gmodel.npz", "iter_9.state.npz"]
    entries = [json.loads(line)["iteration"]
               for line in Path("logs/tiny/metrics.jsonl").read_text().splitlines()]
    assert entries == [2, 4, 6, 8]


def test_less_to_save(place):
    """With --resume_every the others hold G only, and are no place to go on from."""
    train(MAXITER=8)
    whole = weights("models/tiny", 8)
    train(MAXITER=7, SAVEFREQ=1, resume_every=3, wts_dir="models/parts")
    files = Checkpoints("models/parts")
    assert files.complete() == [7] and files.numbers("d") == [7] and files.numbers("g") == [*range(1, 8)]
    for number in (6, 7):
        files.path("d", number).unlink(missing_ok=True)
    Path("models/parts/iter_7.gmodel.npz").unlink()
    assert "Starting from Iteration 0" in start(MAXITER=1, wts_dir="models/other")
    train(MAXITER=8, SAVEFREQ=1, resume_every=3, wts_dir="models/again")
    same(weights("models/again", 8), whole)


def test_old_networks_of_the_original_stay(place):
    train(MAXITER=4)
    original(1, ("d",))
    train(MAXITER=6)
    assert (MODELS / "iter_1.dmodel.npz").is_file() and not (MODELS / "iter_4.dmodel.npz").exists()


def test_a_finished_run_has_nothing_to_do(place):
    train()
    before = {path: path.stat().st_mtime_ns for path in [*MODELS.iterdir(), *Path("logs/tiny").rglob("*")]
              if path.is_file()}
    assert start() == ["Nothing to do: MAXITER=4.0 is reached; weights: models/tiny/iter_4.gmodel.npz"]
    assert before == {path: path.stat().st_mtime_ns for path in before}


# -- with which values ---------------------------------------------------------------------------------------
def test_another_objective_needs_a_word(place):
    train(penalty="js", gamma=0.1)
    record = config()
    with pytest.raises(
        UserError, match="iteration 4 was trained with seed=0, gamma=0.1, this run has seed=5, gamma=2.0"
    ):
        start(penalty="js", gamma=2, seed=5, MAXITER=8)
    with pytest.raises(UserError, match="seed=0"):  # a finished run too
        start(penalty="js", seed=5)
    assert config() == record
    lines = start(None, True, penalty="js", gamma=2, MAXITER=6)
    assert "Note: changed from iteration 4 on: MAXITER 4.0 -> 6.0, gamma 0.1 -> 2.0" in lines
    train(penalty="js", gamma=2, MAXITER=8)
    changed = [(entry["iteration"], entry["changed"]) for entry in config()["history"]]
    assert changed == [(4, {"gamma": [0.1, 2.0], "MAXITER": [4.0, 6.0]}), (6, {"MAXITER": [6.0, 8.0]})]
    assert Checkpoints(MODELS).about(8)["history"] == config()["history"]


def test_what_lightens_a_run_or_moves_its_data_is_free(place):
    train()
    os.rename("data", "elsewhere")
    text = Path("elsewhere/list.txt").read_text().replace("data/", "elsewhere/")
    Path("elsewhere/list.txt").write_text("".join(text.splitlines(keepends=True)[:-1]))
    lines = start(lfile="elsewhere/list.txt", bsz=3, MAXITER=5)
    assert any(line.startswith("Note: changed from iteration 4 on: ")
               and "lfile data/list.txt -> elsewhere/list.txt" in line
               for line in lines)
    assert (
        "Note: the data had 7 items at iteration 4 and have 6 now; their order is another from here on"
        in lines
    )


def test_a_run_of_an_earlier_version_is_compared_with_its_record(place):
    """Its state file knows the fixed parameters only; config.json knows the others."""
    train(penalty="js")
    path = Checkpoints(MODELS).path("state", 4)
    stored, about = Archive(path), Checkpoints(MODELS).about(4)
    arrays = {name: stored[name] for name in stored if name != "about"}
    del about["parameters"], about["history"], about["whole"]
    archive.write(path, {**arrays, "about": np.array(json.dumps(about))}.items())
    with pytest.raises(UserError, match="was trained with gamma=0.1, this run has gamma=0.5"):
        start(penalty="js", gamma=0.5, MAXITER=5)
    Path("logs/tiny/config.json").unlink()
    assert "Starting from Iteration 4" in start(penalty="js", gamma=0.5, MAXITER=5)


def test_a_tag_makes_a_run_of_its_own(place):
    train(tag="one")
    assert (
        Path("models/tiny-one/iter_4.gmodel.npz").is_file() and Path("logs/tiny-one/metrics.jsonl").is_file()
    )
    assert experiment.load("tiny", {"tag": "a", "wts_dir": "w"}).wts_dir == "w"
    for bad in ("a/b", ".", "x" * 101):
        with pytest.raises(UserError, match="tag=.*short word"):
            experiment.load("tiny", {"tag": bad})
    done = run("sample.py", "tiny", "out.png", "--tag=one", "--rows=1", "--cols=1")
    assert done.returncode == 0, done.stderr


def test_command_line_of_going_back(place):
    train(MAXITER=4)
    done = run("train.py", "tiny", "--from=2")
    assert done.returncode == 2 and "there are: 4" in done.stderr
    done = run("train.py", "tiny", "--seed=1", "--MAXITER=5", "--change")
    assert done.returncode == 0 and "seed 0 -> 1" in done.stdout, done.stderr


# -- projections ---------------------------------------------------------------------------------------------
def test_a_failed_start_leaves_no_projections(place):
    with pytest.raises(UserError, match="typo.txt"):
        train(lfile="typo.txt", filts="4,2,1,7")
    assert not MODELS.exists()
    train(filts="4,2,1,7", MAXITER=1)
    for path in MODELS.glob("iter_*"):
        path.unlink()
    with pytest.raises(UserError, match="holds 7 projections that are not those of filts=4,2,1,2"):
        train()
    train(filts="")
