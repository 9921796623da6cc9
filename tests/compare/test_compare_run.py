"""Comparisons as a whole: trained, stopped, killed, gone on with, diverged, failed, reported."""
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compare_tiny import workplace
from tiny import ROOT, run, verb

from tfgan_suite.errors import UserError
from tfgan_suite.files.checkpoints import Checkpoints

TOOL = "tools/compare.py"


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def state(folder: str) -> dict:
    return json.loads(Path(folder, "run.json").read_text())


def test_from_the_command_to_the_report(place):
    """One run that is well, one that diverges, one that fails, two at a time; then the same command
    again.
    """
    words = ["small", "--vary", "alpha=0.01,1e30", "--vary=dataset=digits,folder", "--pairs", "--seeds=1",
             "--budget=6it",
             "--jobs=2", "--metrics=digits,swd", "--n=60", "--batch=20", "--out=first"]
    done = run(TOOL, *words, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "3 variants x 1 seeds = 3 runs of 6 iterations" in done.stdout
    assert "Wrote first/report.html" in done.stdout
    found = json.loads(Path("first/results.json").read_text())
    runs = {v["name"]: v["runs"][0] for v in found["variants"]}
    good, far, lost = (runs[f"small {name}"] for name in ("alpha=0.01 dataset=digits",
                                                          "alpha=1e30 dataset=digits",
                                                          "alpha=0.01 dataset=folder"))
    assert (good["status"], far["status"], lost["status"]) == ("done", "diverged", "failed")
    assert "is not finite" in far["message"] and "data/none" in lost["message"]
    assert [p["iteration"]
            for p in good["points"]] == [2, 4, 6] and good["images"] == 24 and good["iterations"] == 6
    assert [p["seconds"] for p in good["points"]] == sorted(p["seconds"] for p in good["points"])
    assert good["scores"]["digits_is"] > 0 and good["scores"]["swd"] > 0 and good["peak_bytes"] > 1e8
    assert good["neighbours"]["samples"] == 400 and found["rank"] == "digits_is_ratio"
    rows = list(csv.DictReader(Path("first/results.csv").read_text().splitlines()))
    assert len(rows) == 3 and {row["setting:alpha"] for row in rows} == {"0.01", "1e30"}
    page = Path("first/report.html").read_text()
    assert good["command"] in page and "diverged" in page
    assert len(list(Path("first/hparams").iterdir())) == 3
    copied = subprocess.run([sys.executable, str(ROOT / "train.py"), *good["command"].split()[1:]],
                            capture_output=True,
                            text=True, timeout=500, check=False,
                            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    assert copied.returncode == 0 and "iteration=6 is reached" in copied.stdout  # the run that is done

    before = {path: path.stat().st_mtime_ns for path in Path("first/runs").rglob("*") if path.is_file()}
    verb(TOOL)(words)  # nothing is trained or scored twice
    assert before == {path: path.stat().st_mtime_ns for path in Path("first/runs").rglob("*")
                      if path.is_file()}
    with pytest.raises(UserError,
                       match=r"other settings \(iteration was 6, is now 8\); give another --out"):
        verb(TOOL)([*words, "--budget=8it"])


BOTH_WAYS = """
import io, sys
from pathlib import Path
from tfgan_suite.compare import launching, plan, running, state

launch = launching.usual() if sys.argv[1] == "copy" else launching.start
assert launch.__name__ == sys.argv[1], launch
chosen = plan.variants(["small"], plan.axes(["alpha=0.01,1e30"]))
made = plan.make(chosen, {}, (3,), plan.Budget(), Path(sys.argv[1]), lambda f, *words: f(*words))
with state.locked(made.out, "another comparison"):
    assert running.train(made, jobs=2, out=io.StringIO(), launch=launch)
import tensorflow as tf
tf.zeros([])
assert launching.usual() is launching.start
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a process is copied on Linux only")
def test_a_copied_process_trains_as_a_new_one(place):
    """Weights, words, verdicts; and what uses TensorFlow already is not copied."""
    folders = {}
    for name in ("start", "copy"):
        done = subprocess.run([sys.executable, "-c", BOTH_WAYS, name], capture_output=True, text=True,
                              timeout=500, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        folders[name] = sorted(Path(name, "runs").glob("*/seed3"))
    for first, second in zip(*folders.values()):
        for path in sorted(first.rglob("*model.npz")):
            assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path
        about = [state(str(folder)) for folder in (first, second)]
        assert about[0]["status"] == about[1]["status"] and about[0]["message"] == about[1]["message"]
        assert about[1]["peak_bytes"] > 1e8
        words = [(folder / "train.log").read_text() for folder in (first, second)]
        assert len(words[0].splitlines()) == len(words[1].splitlines()) > 0
    assert [state(str(folder))["status"] for folder in folders["copy"]] == ["done", "diverged"]


def start(words) -> subprocess.Popen:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen([sys.executable, str(ROOT / TOOL), *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            env=environment, start_new_session=True)


def wait_for(folder: str, least: int, process) -> None:
    """Waits until a run has a checkpoint of at least that iteration."""
    end = time.monotonic() + 500
    while (Checkpoints(f"{folder}/models").newest("g") or 0) < least:
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.05)


def test_stopped_killed_and_gone_on_with(place):
    """After Ctrl-C and after a crash the same command goes on, and the run ends as if nothing had been."""
    words = ["small", "--vary", "alpha=0.01,0.02", "--seeds=1", "--budget=800it",
             "--snapshot_interval=100", "--log_every=100",
             "--metrics=digits", "--n=20", "--points=2"]
    first = "compare/small/runs/small,alpha=0.01/seed0"
    process = start([*words, "--out=compare/small"])
    wait_for(first, 100, process)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=500)
    assert process.returncode == 130 and "the same command goes on" in out, errors
    stopped = Checkpoints(f"{first}/models").complete()[-1]
    assert 100 <= stopped < 800
    assert state(first)["status"] == "waiting" and len(state(first)["segments"]) == 1

    process = start([*words, "--out=compare/small"])
    wait_for(first, stopped + 100, process)
    os.kill(process.pid, signal.SIGKILL)
    os.kill(int(Path(first, "lock").read_text()), signal.SIGKILL)
    process.communicate()

    done = run(TOOL, *words, "--out=compare/small", timeout=500)
    assert done.returncode == 0, done.stderr
    known = state(first)
    begun = [segment[0] for segment in known["segments"]]
    assert begun[:2] == [0, stopped] and len(begun) == 3 and stopped < begun[2] < 800
    assert known["status"] == "done" and known["iterations"] == 800
    times = [known["times"][n] for n in sorted(known["times"], key=int)]
    assert times == sorted(times)
    assert known["segments"][2][2] == pytest.approx(known["times"][str(begun[2])])

    verb("train.py")(["small", "--alpha=0.01", "--iteration=800", "--snapshot_interval=800",
                      "--log_every=100"])
    whole, parts = (Checkpoints(folder).path("g", 800) for folder in ("models/small", f"{first}/models"))
    assert whole.read_bytes() == parts.read_bytes()


def test_a_budget_of_minutes(place):
    """A run is stopped when its time is spent, and saves; one that is shorter says so."""
    words = ["small", "--vary", "iteration=4,1000000", "--seeds=1", "--budget=0.1m",
             "--snapshot_interval=1000000", "--log_every=100", "--metrics=digits", "--n=20", "--out=o"]
    done = run(TOOL, *words, timeout=500)
    assert done.returncode == 0, done.stderr
    short, long = (state(f"o/runs/small,iteration={n}/seed0") for n in (4, 1000000))
    assert short["status"] == "done" and short["iterations"] == 4
    assert "reached its own length after" in short["message"]
    assert long["status"] == "done" and long["message"] == "" and 4 < long["iterations"] < 1000000
    assert 6.0 <= long["seconds"] < 28.0  # the rest is the present iteration and the writing
    assert "reached its own length" in Path("o/report.html").read_text()


@pytest.mark.parametrize("words,said", [
    ([], "0 arguments given"), (["small"], "nothing to compare"),
    (["small", "--vary", "alpha=1,2", "--budget=5h"], "--budget=5h"),
    (["small", "--vary", "alpha=1,2", "--seeds=x"], "--seeds=x"),
    (["small", "--vary", "alpha=1,x"], "alpha='x'"),
    (["small", "--vary", "alpha=1,2", "--metrics=fud", "--budget=1m"], "unknown metric 'fud'"),
    (["small", "--vary", "alpha=1,2", "--budget=1m"], "Inception graph is missing"),
    (["small", "--vary", "alpha=1,2", "--budget=1m", "--metrics=digits", "--report"],
     "no run has left a checkpoint"),
])
def test_mistakes_are_one_line(place, monkeypatch, words, said):
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.delenv("TFGAN_SUITE_INCEPTION", raising=False)
    with pytest.raises(UserError, match=said) as caught:
        verb(TOOL)(words)
    assert "\n" not in str(caught.value)
    assert not (place / "compare/small/runs").exists()
