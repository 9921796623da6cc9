"""`--dry-run` of every experiment that comes with the suite: it tells and writes nothing, and takes little
memory itself."""
import os
import re
import subprocess
import sys

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
    shown = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and "weights 2.02 GiB + optimiser state 4.03 GiB" in shown
    assert usage.ru_maxrss < 1.5 * 2**20  # KiB
    assert list(tmp_path.rglob("*")) == []
