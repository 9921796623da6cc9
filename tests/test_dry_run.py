"""`--dry-run` of every experiment that comes with the suite: it tells and writes nothing, and takes little
memory itself."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny import ROOT, verb

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.training import dry_run, runs

MISSING = ("no such folder", "no such file", "is missing", "is not given", "no training pictures",
           "is not there")


@pytest.mark.parametrize("name", experiment.names())
def test_every_experiment(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dry_run, "step_bytes", lambda system, spec: 1 << 30)  # test_trainer.py has the count
    try:
        verb("train.py")([name, "--dry-run"])
    except UserError as error:
        assert any(words in str(error) for words in MISSING) and "\n" not in str(error), error
    else:
        shown = capsys.readouterr().out
        assert f"experiment {name}, system " in shown and "one iteration 1.00 GiB" in shown
        assert shown.count("network ") >= 2 and shown.count(" parameters") >= 2
        assert "pggan" not in name or re.search(r"4x4: batch \d+, from iteration 0", shown)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name, given", [
    ("digits", {}), ("digits_any", {}), ("digits_jsreg", {}), ("digits_glis", {}), ("digits_pggan", {}),
    ("digits_lis_iterative", {}), ("digits_sngan", {}), ("jsreg_mixture", {}),
    ("sngan_cifar10", {"DATASET": "digits", "NETWORK": "digits", "DIM_G": "4", "DIM_D": "4"}),
    ("jsreg_gan64", {"dataset": "digits", "architecture": "DCGAN", "DIM": "2", "mode": "wgan-gp"})])
def test_the_batch_is_what_a_dry_run_takes_it_for(name, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    system = runs.build(experiment.load(name, given))
    batch, spec = system.batch(system.heaviest, system.source()), system.batch_spec()
    assert {n: (array.shape, np.asarray(array).dtype) for n, array in batch.items()} == \
        {n: (tuple(s.shape), s.dtype.as_numpy_dtype) for n, s in spec.items()}


def test_a_large_one_is_not_allocated(tmp_path):
    """face48 has 6 GiB of weights and optimiser state."""
    process = subprocess.Popen([sys.executable, ROOT / "train.py", "face48", "--dry-run"], cwd=tmp_path,
                               stdout=subprocess.PIPE, text=True)
    peak, own = 0, Path(f"/proc/{process.pid}/status")  # what wait4 tells counts this process's memory too
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+)", own.read_text())
        if found and b"train.py" in own.with_name("cmdline").read_bytes():
            peak = int(found[1])
        time.sleep(0.05)
    shown = process.stdout.read()
    assert process.returncode == 0 and "weights 2.02 GiB + optimiser state 4.03 GiB" in shown
    assert 0 < peak < 1.5 * 2**20  # KiB
    assert list(tmp_path.rglob("*")) == []


ITERATION = """
import sys
import time
from pathlib import Path
import numpy as np
import tensorflow as tf
from benchmarks import timing
from tfgan_suite import experiment
from tfgan_suite.training import runs
name, *words = sys.argv[1:]
system = runs.build(experiment.load(name, dict(word.split("=") for word in words)))
batch = {key: tf.zeros(spec.shape, spec.dtype) for key, spec in system.batch_spec().items()}
phase = system.phase(system.heaviest)
run = tf.function(lambda step, batch: system.iteration(step, batch, phase), autograph=False)
for value in run(tf.constant(0, tf.int64), batch).values():
    value.numpy()
print(timing.peak_memory())
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peaks are read from Linux' /proc")
def test_the_estimate_is_near_the_measured_peak(tmp_path, monkeypatch):
    """Of an iteration whose weights and temporaries are larger than TensorFlow itself (face12's networks, two
    of its discriminators)."""
    monkeypatch.chdir(tmp_path)
    given = {"bsz": "2", "filts": "8,2,1,2", "wts_dir": str(tmp_path / "none")}
    words = ["face12", *(f"{name}={value}" for name, value in given.items())]
    done = subprocess.run([sys.executable, "-c", ITERATION, *words], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tools'}"}, timeout=600,
                          check=True)
    said = dry_run.describe(experiment.load("face12", given))
    estimate = float(re.search(r"= about ([0-9.]+) GiB", said)[1])
    assert estimate == pytest.approx(int(done.stdout) / 2**30, rel=0.15)
