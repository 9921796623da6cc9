"""A broken picture that is found beside the training: it saves, and stops with the line that names it."""
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny import pictures, workplace

from tfgan_suite import experiment
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.errors import UserError
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training.trainer import Trainer


def test_training_saves_and_stops(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    pictures(Path("data"), 60)
    last = Path(f"data/{np.random.RandomState(0).permutation(60)[-1]}.png")  # its turn is in iteration 15
    last.write_bytes(last.read_bytes()[:-40])
    begun, look, after = threading.Event(), ListFile._look, Trainer._after

    def late(self, numbers):
        begun.wait(60)
        return look(self, numbers)

    def wait(self, done, *rest):
        after(self, done, *rest)
        if done == 2:
            begun.set()
            self.host.source._beside._thread.join()

    monkeypatch.setattr("tfgan_suite.data.beside.WAITED", 0.0)
    monkeypatch.setattr(ListFile, "_look", late)
    monkeypatch.setattr(Trainer, "_after", wait)
    with pytest.raises(UserError, match=rf"^{last} \(line \d+ of data/list.txt\): is a broken or truncated"):
        Trainer(experiment.load("tiny", {"MAXITER": "30", "SAVEFREQ": "0"}), io.StringIO()).run()
    assert 2 <= Checkpoints("models/tiny").complete()[-1] <= 6
