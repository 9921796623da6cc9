"""One writer in a folder."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import ROOT, run, workplace

from tfgan_suite.errors import UserError
from tfgan_suite.files import lock
from tfgan_suite.files.lock import Lock


def test_the_second_is_refused_and_the_folder_is_left_clean(tmp_path):
    with Lock(tmp_path / "w", "wait") as first:
        assert first.note == "" and json.loads(first.path.read_text())["pid"] == os.getpid()
        with pytest.raises(UserError,
                           match=f"w: is in use by a run that is still going .process {os.getpid()} on .*; "
                                 f"wait"):
            Lock(tmp_path / "w", "wait").__enter__()
    assert not (tmp_path / "w").exists()  # it was made for the lock only
    (tmp_path / "w").mkdir()
    with Lock(tmp_path / "w", "wait"):
        pass
    assert list((tmp_path / "w").iterdir()) == []


def test_a_lock_of_a_dead_process_is_taken_over(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tfgan_suite.files.lock import Lock\nimport os\n"
        f"Lock({str(tmp_path)!r}, '').__enter__()\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / lock.NAME).is_file()
    with Lock(tmp_path, "wait") as taken:
        assert "left by a run that is dead" in taken.note
    assert not (tmp_path / lock.NAME).exists()


def left(folder, **changes):
    content = {"host": "far", "machine": "another", "pid": 1, "process_started": "5",
               "since": "2020-01-01 00:00:00"}
    (folder / lock.NAME).write_text(json.dumps({**content, **changes}))


def test_another_machine_lives_as_long_as_it_gives_signs_of_life(tmp_path):
    left(tmp_path)
    with pytest.raises(UserError, match="process 1 on far, since 2020.*dead, its lock goes after 120 s"):
        Lock(tmp_path, "wait").__enter__()
    past = time.time() - lock.SILENCE - 5
    os.utime(tmp_path / lock.NAME, (past, past))
    with Lock(tmp_path, "wait") as taken:
        assert "far" in taken.note
    left(tmp_path)  # the clock has been set back since
    os.utime(tmp_path / lock.NAME, (time.time() + 3600, time.time() + 3600))
    with Lock(tmp_path, "wait") as taken:
        assert "far" in taken.note


def test_without_locks_of_the_kernel_the_process_is_looked_for(tmp_path, monkeypatch):
    def unsupported(handle, how):
        raise OSError(lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", unsupported)
    left(tmp_path, machine=lock.machine(), pid=os.getpid(), process_started=lock.started(os.getpid()))
    with pytest.raises(UserError, match="still going"):
        Lock(tmp_path, "wait").__enter__()
    # the number has been used again
    left(tmp_path, machine=lock.machine(), pid=os.getpid(), process_started="1")
    with Lock(tmp_path, "wait"):
        pass


def test_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.02)
    with Lock(tmp_path, "wait") as held:
        os.utime(held.path, (0, 0))
        for _ in range(200):
            time.sleep(0.02)
            if held.path.stat().st_mtime > 0:
                return
    pytest.fail("the lock was not touched")


def test_a_running_training_holds_both_folders(tmp_path, monkeypatch):
    """Sampling is not blocked."""
    workplace(tmp_path, monkeypatch)
    assert run("train.py", "tiny").returncode == 0
    with Lock("models/tiny", "wait"):
        assert run("sample.py", "tiny", "x.png", "--rows=1", "--cols=1").returncode == 0
        done = run("train.py", "tiny", "--MAXITER=5")
        assert (
            done.returncode == 2 and "models/tiny: is in use" in done.stderr and done.stderr.count("\n") == 1
        )
    with Lock("logs/tiny", "wait"):
        done = run("train.py", "tiny", "--wts_dir=models/other")
        assert done.returncode == 2 and "logs/tiny: is in use" in done.stderr
    assert not Path("models/other").exists()
