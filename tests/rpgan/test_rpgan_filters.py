"""Projections: of several shapes in one run, their file, the experiments' own, and what is said of
mismatches."""
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tiny import workplace

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.rpgan import filters
from tfgan_suite.rpgan.system import SATURATED, spread
from tfgan_suite.training.trainer import Trainer


def train(out=None, system=None, **changes):
    trainer = Trainer(experiment.load("tiny", {name: str(value) for name, value in changes.items()}, system),
                      out or io.StringIO())
    trainer.run()
    return trainer


def test_several_shapes_in_one_run(tmp_path, monkeypatch):
    """One stack for each shape, numbered in the file's order; it is saved and goes on."""
    workplace(tmp_path, monkeypatch)
    trainer = train(filts="4,2,1,2 5,1,2,1 4,2,1,1", MAXITER=2)
    groups = filters.load("models/tiny/filts.npz")
    assert [group.numbers for group in groups] == [(0, 1, 3), (2,)] and [group.stride
                                                                         for group in groups] == [2, 1]
    saved = dict(trainer.system.networks["d"].arrays())
    assert [saved[f"c{i}_0_w"].shape[2] for i in range(4)] == [1, 1, 2, 1]
    assert {name.split("_")[0] for name in saved} == {"c0", "c1", "c2", "c3"}
    again = train(filts="4,2,1,2 5,1,2,1 4,2,1,1", MAXITER=4)
    logged = json.loads(Path("logs/tiny/metrics.jsonl").read_text().splitlines()[-1])
    assert logged["iteration"] == 4 and {f"L/0{i}" for i in range(4)} <= set(logged)
    assert all(np.isfinite(value).all() for _, value in again.system.networks["d"].arrays())


def test_an_uninterrupted_run_of_several_shapes_is_the_resumed_one(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    whole = train(filts="4,2,1,1 5,1,2,1", MAXITER=2, wts_dir="models/a", log_dir="logs/a")
    for end in (1, 2):
        parts = train(filts="4,2,1,1 5,1,2,1", MAXITER=end, wts_dir="models/b", log_dir="logs/b")
    for kind in "gd":
        for (name, a), (_, b) in zip(whole.system.networks[kind].arrays(),
                                     parts.system.networks[kind].arrays()):
            assert np.array_equal(a, b), name


@pytest.mark.parametrize("name, count", [("face12", 12), ("face24", 24), ("face48", 48), ("dog12", 12)])
def test_the_papers_experiments_make_their_own(name, count):
    """8x8 filters with stride 2 to one channel, as many as the experiment's name says."""
    params = experiment.load(name)
    groups = filters.grouped(filters.make(params.filts.split(), params.filts_seed), "made")
    assert [(len(group), group.stride, group.values.shape[1:])
            for group in groups] == [(count, 2, (8, 8, 3, 1))]


def test_filters_of_ones_own_are_taken_and_said(tmp_path, monkeypatch):
    """A released filts.npz of the same shapes; one of other shapes is refused."""
    workplace(tmp_path, monkeypatch)
    (tmp_path / "models/tiny").mkdir(parents=True)
    filters.write("models/tiny/filts.npz", ["4,2,1,2"], 99)
    theirs, out = filters.load("models/tiny/filts.npz")[0].values, io.StringIO()
    trainer = train(out, MAXITER=1)
    assert "Takes the 2 discriminator projections of models/tiny/filts.npz" in out.getvalue()
    assert np.array_equal(trainer.system.networks["d"].stacks[0].filters.values, theirs)
    for path in (tmp_path / "models/tiny").glob("iter_*"):
        path.unlink()
    filters.write("models/tiny/filts.npz", ["4,2,1,3"], 99)
    with pytest.raises(UserError, match="that are not those of filts=4,2,1,2"):
        train(MAXITER=1)


def test_a_folder_of_the_baseline(tmp_path, monkeypatch):
    """train.py says whose it is, in place of asking for filters."""
    workplace(tmp_path, monkeypatch)
    train(system="rpgan_baseline", MAXITER=1)
    with pytest.raises(UserError, match=r"models/tiny: holds a run of the baseline.*baseline_train\.py tiny"):
        train(filts="")


def test_the_spread_of_the_losses():
    """Least, median, largest, and the share above log 100."""
    values = [0.5, 9.0, 1.5, SATURATED + 0.1]
    found = {name: float(value) for name, value in spread(tf.constant(values)).items()}
    assert found["L/min"] == 0.5 and found["L/max"] == 9.0 and found["L/saturated"] == 0.5
    assert found["L/median"] == pytest.approx((1.5 + SATURATED + 0.1) / 2)
    assert float(spread(tf.constant([2.0]))["L/median"]) == 2.0
