"""tools/evaluate.py as a command: experiments, folders, all checkpoints, the records it leaves, its one-line
errors."""
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny_graph
from PIL import Image
from toys import pictures

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import write as write_archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.metrics import tfgan
from tfgan_suite.training import runs

COMMAND = Path(__file__).resolve().parents[2] / "tools" / "evaluate.py"
SMALL = ("--f1=8", "--zlen=4")


@pytest.fixture(scope="module")
def main():
    spec = importlib.util.spec_from_file_location("evaluate", COMMAND)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty current folder with two checkpoints of a small `digits`, and a graph."""
    monkeypatch.chdir(tmp_path)
    params = experiment.load("digits", {"f1": "8", "zlen": "4"})
    Path(params.wts_dir).mkdir(parents=True)
    for number in (10, 20):
        g = runs.build(params.replace(seed=number), training=False).networks["g"]
        write_archive(Checkpoints(params.wts_dir).path("g", number), g.arrays())
    graph = tiny_graph.write(tmp_path / "tiny.pb")
    return "--graph=tiny.pb", f"--graph_sha256={graph.sha256}"


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / "my images"
    target.mkdir()
    for i, picture in enumerate(pictures(23)):
        Image.fromarray(picture).save(target / f"{i}.png")
    return str(target)


def records(path="logs/digits/metrics.jsonl") -> list:
    """What was recorded, the metrics of one protocol's samples and iteration together."""
    found: dict = {}
    for line in Path(path).read_text().splitlines():
        entry = json.loads(line)
        last = found.setdefault(entry["iteration"], [{}])[-1]
        if set(last) & set(entry) - {"iteration", "time", "protocol"}:  # the same again
            found[entry["iteration"]].append(last := {})
        last.update({**entry, "protocol": {**last.get("protocol", {}), **entry["protocol"]}})
    return [entry for entries in found.values() for entry in entries]


def test_digits_of_the_newest_checkpoint(main, place, capsys):
    main(["digits", *SMALL, "--n=120"])
    (entry,) = records()
    assert entry["iteration"] == 20 and entry["digits_is"] >= 1
    assert entry["protocol"] == {"samples": 120, "seed": 0, "batch": 100, "splits": 10, "iteration": 20,
                                 "distances": tfgan.computed_by(),
                                 "digits_classifier": entry["protocol"]["digits_classifier"]}
    table = capsys.readouterr().out
    assert (
        "digits, iteration 20" in table
        and "digits_fid" in table
        and "samples 120, seed 0, batch 100, splits 10" in table
    )


def test_all_checkpoints_all_metrics_and_tensorboard(main, place):
    main(["digits,5", *SMALL, *place, "--n=50", "--iteration=all", "--metrics=is,is_new,fid,kid,swd,digits",
          "--splits=5"])
    first, second = records()
    assert [first["iteration"], second["iteration"]] == [10, 20] and first["is_50"] != second["is_50"]
    assert first["protocol"]["seed"] == 5 and first["protocol"]["real_images"] == 1797
    assert first["protocol"]["graph_sha256"] == second["protocol"]["graph_sha256"] == place[1].split("=")[1]
    seen = {(event.step, value.tag) for path in Path("logs/digits").glob("events*")
            for event in tf.compat.v1.train.summary_iterator(str(path)) for value in event.summary.value}
    assert {(10, "is_50"), (20, "is_50"), (10, "fid_50_train"), (20, "kid_50_train"), (20, "swd"),
            (10, "digits_is")} <= seen


def test_equal_commands_give_equal_numbers(main, place):
    for batch in (100, 100):
        main(["digits", *SMALL, *place, "--n=30", "--metrics=is,fid", f"--batch={batch}", "--iteration=10"])
    first, second = records()
    assert first == second


def test_folder_against_another_folder(main, place, folder):
    main([folder, *place, "--metrics=is,fid,kid,swd,digits", "--splits=3", f"--reals={folder}"])
    (entry,) = records("logs/my images/metrics.jsonl")
    assert (
        entry["iteration"] is None
        and entry["protocol"]["samples"] == 23
        and entry["protocol"]["folder"] == folder
    )
    np.testing.assert_allclose(entry["fid_23"], 0, atol=1e-6)
    main([folder, *place, "--splits=3", "--out_dir=alone"])  # without --metrics, and without reals
    (alone,) = records("alone/metrics.jsonl")
    assert {"is_23", "is_23_std"} <= set(alone)
    assert not any(name.startswith(("fid", "kid", "digits")) for name in alone)
    main([folder, *place, "--metrics=fid", "--reals=digits", "--out_dir=results"])
    assert records("results/metrics.jsonl")[0]["protocol"]["real_images"] == 1797


def test_one_class_and_class_by_class(main, place, tmp_path):
    """--label against the images of that class, and the mean over classes; a tiny projection generator,
    untrained."""
    sizes = ("--gen_ch=4", "--dim_z=4", "--dis_ch=3")
    params = experiment.load("digits_sngan", dict(word[2:].split("=") for word in sizes))
    Path(params.wts_dir).mkdir(parents=True)
    write_archive(Checkpoints(params.wts_dir).path("g", 5),
                  runs.build(params, training=False).networks["g"].arrays())
    fids = []
    for label in range(2):
        main(["digits_sngan", *sizes, *place, "--n=40", "--metrics=fid", f"--label={label}"])
        fids.append(records("logs/digits_sngan/metrics.jsonl")[-1])
    assert [entry["protocol"]["labels"] for entry in fids] == ["class 0", "class 1"]
    assert [entry["protocol"]["real_images"] for entry in fids] == [178, 182]
    main(["digits_sngan", *sizes, *place, "--n=40", "--metrics=intra_fid,pr,dc"])
    last = records("logs/digits_sngan/metrics.jsonl")[-1]
    assert np.isfinite(last["intra_fid_40_train"]) and 0 <= last["precision_40_train"] <= 1
    with pytest.raises(UserError, match="has 10 classes, 0 to 9"):
        main(["digits_sngan", *sizes, *place, "--n=40", "--metrics=fid", "--label=10"])


def test_statistics_out_and_in(main, place, folder, capsys):
    main([folder, *place, "--metrics=is", "--splits=3", "--save_stats=F.npz"])
    assert "Wrote F.npz" in capsys.readouterr().out
    with np.load("F.npz") as stored:
        assert stored["sigma"].shape == (6, 6) and stored["mu"].shape == (6,) and stored["n"] == 23
    main([folder, *place, "--reals=F.npz", "--metrics=fid"])
    (entry,) = records("logs/my images/metrics.jsonl")
    assert entry["protocol"]["reals"] == "F.npz" and entry["protocol"]["real_images"] == 23
    assert next(v for k, v in entry.items() if k.startswith("fid")) < 1e-6
    for target, message in (("F.txt", "ends in .npz"), ("no/F.npz", "not there")):
        with pytest.raises(UserError, match=message):
            main([folder, *place, "--metrics=is", f"--save_stats={target}"])


@pytest.mark.parametrize("arguments, message", [
    (["digits", "--n=5"], "5 samples cannot be divided into 10 splits"),
    (["digits", "--n=-1"], "n=-1 is too small"),
    (["digits", "--batch=0"], "batch=0 is too small"),
    (["digits", "--metrics=inception"], "unknown metric 'inception'"),
    (["digits", "--metrics=is"], "the 2015 Inception graph is missing"),
    (["digits", "--metrics=is", "--graph=nothing.pb"], "nothing.pb: no such file"),
    (["digits", "--metrics=is", "--graph=tiny.pb"], "is not the original"),
    (["digits", "--metrics=is", "--graph=tiny.pb", "--graph_sha256=12"], "has SHA-256"),
    (["digits", "--iteration=15"], "no such checkpoint; there are: 10, 20"),
    (["digits", "--iteration=newest"], "give a whole number or 'all'"),
    (["digits", "--wts_dir=empty", "--iteration=all"], "holds no checkpoint"),
    (["digits", "--wts_dir=empty"], "holds no iter_N.gmodel.npz"),
    (["digits,x"], "SEED a whole number"),
    (["digitz"], "did you mean 'digits'"),
    (["digits", "--split=3"], "unknown option '--split'; did you mean 'splits'"),
    ([], "0 arguments"),
])
def test_mistakes_are_one_line(main, place, arguments, message):
    overrides = SMALL if arguments and arguments[0] == "digits" else ()
    with pytest.raises(UserError, match="^[^\n]*$") as error:
        main([*arguments, *overrides, "--n=40", *[a for a in arguments if a.startswith("--n=")]])
    assert message in str(error.value)
    assert not Path("logs/digits/metrics.jsonl").exists()


@pytest.mark.parametrize("arguments, message", [
    (["--n=24"], "23 images, 24 were asked for"),
    (["--metrics=fid", "--graph=tiny.pb"], "--reals"),
    (["--metrics=swd"], "--reals"),
])
def test_mistakes_with_folders_are_one_line(main, place, folder, arguments, message):
    with pytest.raises(UserError) as error:
        main([folder, "--splits=3", place[1], *arguments])
    assert message in str(error.value)


def test_a_folder_without_images_is_one_line(main, place):
    Path("nothing").mkdir()
    with pytest.raises(UserError, match="nothing: no images"):
        main(["nothing"])


def test_the_command_exits_with_2_and_one_line(place):
    done = subprocess.run([sys.executable, COMMAND, "digits", *SMALL, "--n=3"], capture_output=True,
                          text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "evaluate.py: 3 samples" in done.stderr


def test_help_lists_options_and_metrics():
    done = subprocess.run([sys.executable, COMMAND, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--metrics" in done.stdout and "--graph_sha256" in done.stdout
