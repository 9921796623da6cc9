"""Settings of all tests: quiet TensorFlow, no GPU surprises, the repository on the path."""
import os
import signal
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("MPLBACKEND", "Agg")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tools")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell that starts the tests in the background has them ignore Ctrl-C, which their own children inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # as nohup has it
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

import pytest  # noqa: E402

import tfgan_suite  # noqa: E402,F401 (chooses Keras before a test imports TensorFlow)


@pytest.fixture(autouse=True)
def no_process_outlives_its_test(monkeypatch):
    """A training that a failed test has left behind would take a core from all others."""
    begun: list[subprocess.Popen] = []

    class Known(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Known)
    yield
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()
