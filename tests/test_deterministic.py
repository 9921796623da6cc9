"""`--deterministic` on the CPU: the numbers are those without it, and what it cannot do is one line."""
import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf
from test_trainer import train
from tiny import ROOT, workplace

from tfgan_suite.errors import UserError
from tfgan_suite.system import System

# TensorFlow cannot take it back, so this has a process of its own
RUNS = """
import hashlib, io, json, sys
from pathlib import Path
import numpy as np
from house_cases import prepare
from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer

def run(name, kind, **more):
    places = {"wts_dir": f"models/{name}-{kind}", "log_dir": f"logs/{name}-{kind}"}
    Trainer(experiment.load(name, {**places, **more}), io.StringIO()).run()
    digest = hashlib.sha256()
    for path in sorted(Path(places["wts_dir"]).glob("iter_4.*.npz")):
        with np.load(path) as arrays:
            for array in sorted(set(arrays.files) - {"about"}):
                digest.update(path.name.encode() + array.encode() + arrays[array].tobytes())
    return digest.hexdigest()

prepare(Path("."))
names = sys.argv[1:]
found = {name: [run(name, "plain")] for name in names}
for name in names:
    found[name].append(run(name, "deterministic", deterministic="True"))
print(json.dumps(found))
"""
CASES = os.environ.get("DETERMINISTIC", "rpgan mixture").split()  # or any others of tests/house


def test_equal_with_and_without(tmp_path):
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests/house")])
    done = subprocess.run([sys.executable, "-c", RUNS, *CASES], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path}, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert sorted(found) == sorted(CASES)
    for name, digests in found.items():
        assert len(digests) == 2 and digests[0] == digests[1], name


def test_what_has_no_deterministic_form_is_told(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)

    def iteration(self, step, batch, phase):
        raise tf.errors.UnimplementedError(None, None, "Deterministic GPU implementation of X not available.")

    monkeypatch.setattr(System, "iteration", iteration)
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    with pytest.raises(UserError, match="--deterministic: TensorFlow has no .* of X not .*; leave it out"):
        train(deterministic=True)
    with pytest.raises(tf.errors.UnimplementedError):
        train(wts_dir="other")
