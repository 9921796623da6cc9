"""Trained weights that come with the suite: read where a run has no checkpoint, never by training."""
import json

import numpy as np
import pytest
from PIL import Image
from tiny import ROOT, verb, workplace

import tfgan_suite as ts
from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.training import pretrained, runs

NOTE = "models/tiny has no checkpoint; these are the trained weights that come with the suite"
MOST_BYTES = 6 << 20


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A suite of one experiment, `tiny`, whose weights of iteration 2 come with it, and no run of it."""
    place = workplace(tmp_path, monkeypatch)
    ts.train("tiny", MAXITER=2)
    verb("fixbn.py")(["tiny"])
    folder = place / "pretrained/tiny"
    folder.mkdir(parents=True)
    for kind in ("g", "bg"):
        (place / f"models/tiny/iter_2.{kind}model.npz").rename(folder / f"iter_2.{kind}model.npz")
    about = {"command": "./train.py tiny", "iteration": 2, "scores": {"tiny_ratio": 0.5, "tiny_fid": 7.0}}
    (folder / "score.json").write_text(json.dumps(about))
    (place / "models").rename(place / "old")
    monkeypatch.setattr(experiment, "PRETRAINED", place / "pretrained")
    monkeypatch.setattr(experiment, "EXPERIMENTS", place / "exp")
    return place


def test_every_reading_verb_shows_them_and_says_so(shipped, capsys):
    for words in (["sample.py", "tiny", "a.png", "--rows=2"], ["interp.py", "tiny", "b.png", "1,2"],
                  ["tools/evaluate.py", "tiny", "--metrics=digits", "--n=20", "--iteration=all"]):
        verb(words[0])(words[1:])
        assert capsys.readouterr().err.count(NOTE) == 1
    assert Image.open("a.png").height == 32 and Image.open("b.png").height == 16
    assert ts.load("tiny").iteration == 2
    said = capsys.readouterr().err
    assert "(tiny_ratio 0.50); ./train.py tiny trains your own" in said and said.count("\n") == 1
    assert not (shipped / "models").exists()


@pytest.mark.parametrize("values", [{"tag": "mine"}, {"wts_dir": "models/tiny"}, {"f1": 16}])
def test_another_run_does_not(shipped, values):
    with pytest.raises(UserError, match="holds no iter_N.gmodel.npz"):
        ts.load("tiny", **values)


def test_training_starts_afresh_and_its_own_weights_come_first(shipped, capsys):
    run = ts.train("tiny", MAXITER=1)
    assert "Restoring" not in capsys.readouterr().out and run.iteration == 1
    assert ts.load("tiny").iteration == 1 and capsys.readouterr().err == ""
    with pytest.raises(UserError, match=r"fixbn\.py"):
        verb("interp.py")(["tiny", "b.png", "1,2"])


def test_statistics_are_not_made_of_them(shipped):
    with pytest.raises(UserError, match=r"models/tiny: holds no iter_N\.gmodel\.npz"):
        verb("fixbn.py")(["tiny"])
    assert not (shipped / "models").exists()


def test_another_iteration_is_refused(shipped):
    with pytest.raises(UserError, match="there are: 2"):
        verb("sample.py")(["tiny", "a.png", "1"])


def test_a_broken_record_is_named(shipped):
    (shipped / "pretrained/tiny/score.json").write_text("{")
    with pytest.raises(UserError, match=r"score\.json: is no record"):
        ts.load("tiny")


# -- what is there -------------------------------------------------------------------------------------------
NAMES = sorted(path.name for path in (ROOT / "pretrained").iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_fit_their_experiment(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    system, number = runs.open_sampler(experiment.load(name))
    about = pretrained.record(name)
    assert number == about["iteration"] and about["command"].split()[:2] == ["./train.py", name]
    assert about["minutes"] > 0 and about["samples"] >= 1000 and 0 < about["scores"]["digits_is_ratio"] < 1.1
    images = runs.sample(system, 20)
    assert len(np.unique(images)) > 100  # ink and ground, with all between
    # the first kind of its class tells the iteration, also where an averaged G is sampled
    kinds = {type(system).sampling[0], *system.sampling, *filter(None, [system.frozen])}
    files, folder = {f"iter_{number}.{kind}model.npz" for kind in kinds}, ROOT / "pretrained" / name
    assert {path.name for path in folder.iterdir()} == {*files, "score.json"}
    for file in files:
        assert all(np.all(np.isfinite(array)) for array in Archive(folder / file).values())


def test_they_are_complete_and_small():
    assert set(NAMES) == set(pretrained.names())
    systems = {experiment.load(name).system for name in NAMES}
    assert {"rpgan", "sngan_projection", "pggan", "glis", "jsreg_dcgan"} <= systems
    assert sum(path.stat().st_size for path in (ROOT / "pretrained").rglob("*.*")) < MOST_BYTES


def test_the_table_of_the_readme_says_what_the_records_say():
    text = (ROOT / "README.md").read_text()
    rows = {cells[1].strip(" `"): [cell.strip() for cell in cells[2:5]]
            for cells in (line.split("|") for line in text.splitlines()) if len(cells) == 6}
    for name in NAMES:
        about = pretrained.record(name)
        ratios = [about["scores"][key] for key in ("digits_is_ratio", "digits_svc_is_ratio")]
        shown = [f"{about['minutes']:.0f}", *(f"{ratio:.2f}" for ratio in ratios)]
        assert rows[about["command"]] == shown, name
