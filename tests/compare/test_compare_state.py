"""The clock of a run, its state file, its lock."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import workplace

from tfgan_suite.compare import launching, plan, running, state
from tfgan_suite.errors import UserError


@pytest.fixture
def run(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    chosen = plan.variants(["tiny"], plan.axes(["f1=8,16"]))
    return plan.make(chosen, {}, (0,), plan.Budget.parse("1m"), Path("out"), None).runs[0]


def checkpoint(folder: Path, number: int, moment: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("g", "d"):
        path = folder / f"iter_{number}.{kind}model.npz"
        path.write_bytes(b"")
        os.utime(path, (moment, moment))


def test_the_clock_goes_on_from_the_checkpoint(tmp_path):
    known = state.State({})
    assert known.clock(1000.0) == 0.0
    known.begin(0, 1000.0)
    checkpoint(tmp_path / "w", 10, 1007.0)
    known.see(tmp_path / "w")
    assert known.times == {10: 7.0} and known.clock(1009.0) == 9.0  # killed two seconds after the checkpoint
    known.begin(10, 5000.0)
    assert known.clock(5001.0) == 8.0
    checkpoint(tmp_path / "w", 20, 5004.0)
    known.see(tmp_path / "w")
    assert known.times == {10: 7.0, 20: 11.0}
    known.begin(10, 9000.0)  # the newer checkpoint was broken: its time is forgotten
    assert known.times == {10: 7.0} and known.clock(9001.0) == 8.0
    known.see(tmp_path / "nowhere")
    checkpoint(tmp_path / "w", 11, 8999.5)  # written by the first iteration, just before that was noticed
    known.see(tmp_path / "w")
    assert known.times[11] == 7.0


def test_the_state_file(run):
    assert state.read(run).status == "waiting"
    known = state.State(state.asked(run), "done", segments=[(0, 1.0, 0.0)], times={4: 2.5}, iterations=4)
    state.write(run, known)
    back = state.read(run)
    assert back.times == {4: 2.5} and back.status == "done" and back.clock(3.0) == 2.0
    elsewhere = plan.Run(run.variant, run.seed, run.folder, {**run.overrides, "bsz": "2"}, run.params, 60.0)
    with pytest.raises(UserError, match=r"other settings \(bsz was None, is now 2\); give another --out"):
        state.read(elsewhere)
    longer = plan.Run(run.variant, run.seed, run.folder, run.overrides, run.params, 120.0)
    with pytest.raises(UserError, match=r"budget was 60.0, is now 120.0"):
        state.read(longer)
    (run.folder / "run.json").write_text("{")
    with pytest.raises(UserError, match="run.json: cannot be read"):
        state.read(run)


def test_one_comparison_in_a_folder(tmp_path):
    first, second = (state.locked(tmp_path / "o", "another comparison") for _ in range(2))
    with first, pytest.raises(UserError, match="another comparison is at work here"), second:
        pass
    with state.locked(tmp_path / "o", "another comparison"):
        pass


def test_a_left_over_training_is_stopped_and_waited_for(run):
    lock = state.hold(run)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                             pass_fds=[lock.fileno()])
    lock.truncate(0)
    lock.write(str(child.pid))
    lock.flush()
    lock.close()  # as if the comparison that began it had been killed
    begun = time.monotonic()
    state.hold(run).close()
    assert time.monotonic() - begun < 30 and child.wait() == -signal.SIGTERM


def test_a_spent_budget_is_not_trained_again(run):
    known = state.State(state.asked(run), segments=[(0, 1000.0, 0.0)])
    checkpoint(Path(run.params.wts_dir), 40, 1060.5)
    state.write(run, known)
    progress = running.Progress(1, 0)
    assert running._start(run, known, None, progress, launching.start) is None
    assert state.read(run).status == "done" and state.read(run).seconds == 60.5 and progress.done == 1
