"""How a process of train.py begins: a new Python, or a copy of one that has TensorFlow loaded already."""
from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import IO

from tfgan_suite import experiment

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Launch = Callable[[list[str], IO, IO, IO, dict[str, str]], int]


def start(words: list[str], out: IO, errors: IO, lock: IO, settings: dict[str, str]) -> int:
    """Starts train.py in a session of its own, where Ctrl-C does not reach it.

    Args:
        words: its arguments.
        out, errors: files for what it says.
        lock: a file that it keeps open while it lives.
        settings: of its environment, beside ours.

    Returns:
        The process's number.
    """
    command = [sys.executable, str(experiment.SCRIPTS / "train.py"), *words]
    # Whoever starts it waits for it by its number (`os.wait4`, which also tells its memory).
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                            start_new_session=True, pass_fds=[lock.fileno()],
                            env={**os.environ, **settings}).pid


def load() -> None:
    """Loads what every run needs, once. TensorFlow is imported and not used: it begins no device and no
    thread, so that the process can still be copied."""
    import tensorflow  # noqa: F401

    from tfgan_suite.training import trainer  # noqa: F401


def copy(words: list[str], out: IO, errors: IO, lock: IO, settings: dict[str, str]) -> int:
    """As `start`, in a copy of this process after `load`: the seconds that TensorFlow's import takes are
    saved."""
    sys.stdout.flush()
    number = os.fork()
    if number:
        return number
    status = 1
    try:
        _take_over(out, errors, lock)
        status = _train(words, settings)
    finally:
        os._exit(status)  # what this process would do at its end is the other's business


def _take_over(out: IO, errors: IO, lock: IO) -> None:
    """Gives the copy a session, streams and signals of its own, and of our files the lock only: others (the
    lock of the comparison's folder) must not stay held if we end first."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in zip((nothing, out.fileno(), errors.fileno()), range(3)):
        os.dup2(ours, theirs)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != lock.fileno():
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(int(name))
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, closefd=False) for n in (1, 2))
    for one in SIGNALS:
        signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)


def _train(words: list[str], settings: dict[str, str]) -> int:
    """What the copy does; returns its exit status."""
    os.environ.update(settings)
    script = str(experiment.SCRIPTS / "train.py")
    sys.argv = [script, *words]
    try:
        runpy.run_path(script, run_name="__main__")
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def in_use() -> bool:
    """Whether this process has begun to compute with TensorFlow: its settings are then fixed."""
    from tensorflow.config import threading

    before = threading.get_inter_op_parallelism_threads()
    try:
        threading.set_inter_op_parallelism_threads(before + 1)
    except RuntimeError:
        return True
    threading.set_inter_op_parallelism_threads(before)
    return False


def usual() -> Launch:
    """The quicker way where a process can be copied safely (on Linux, before TensorFlow is in use), ready to
    be used; else `start`."""
    if sys.platform != "linux":
        return start
    load()
    return start if in_use() else copy
