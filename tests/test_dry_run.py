"""`--dry-run` of every experiment that comes with the suite: it tells and writes nothing, and takes little
memory itself."""
import os
import subprocess
import sys

import pytest
from tiny import ROOT, verb

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.training import dry_run

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
        assert "pggan" not in name or "4x4: batch 16, from iteration 0" in shown
    assert list(tmp_path.rglob("*")) == []


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
