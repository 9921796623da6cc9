"""Two devices train what one trains: the paper's networks through a fade, with all that has a state."""
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer

TWO = """
import io
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer
trainer = Trainer(experiment.load("pg", {"wts_dir": "two"}), io.StringIO())
assert trainer.strategy.num_replicas_in_sync == 2
trainer.run()
"""
RUN = ("system, networks, fmapBase, fmapMax, latentSize, endRes, obj = 'pggan', 'paper', 8, 3, 3, 8, 1.0\n"
       "batch_table, stdDevGroup, data_path, ema, smoothing = '4:4,8:4', 4, 'digits', True, 0.9\n"
       "classes, fade_reals, reset_optimizer = 10, True, True\n"
       "gOptimizer_betas, cOptimizer_betas = '0.5 0.9', '0.5 0.9'\n"
       "samplesWhileStable, samplesWhileFade, saveImageEvery = 4, 4, 1000\n")


def test_same_weights(tmp_path, monkeypatch):
    """Each in a process of its own: TensorFlow's collectives do not bear two strategies in one."""
    monkeypatch.chdir(tmp_path)
    Path("exp").mkdir()
    Path("exp/pg.py").write_text(RUN)
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", TWO], env={**os.environ, "PYTHONPATH": root},
                          timeout=400, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    Trainer(experiment.load("pg", {"wts_dir": "one"}), io.StringIO()).run()
    for kind in ("g", "d", "a"):
        one, two = (np.load(f"{count}/iter_3.{kind}model.npz") for count in ("one", "two"))
        for array in one.files:
            np.testing.assert_allclose(two[array], one[array], atol=2e-5, err_msg=array)
