"""Two devices train what one trains: both kinds of networks, through a fade, with everything that has a
state."""
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer

TWO = """
import io, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfgan_suite import experiment
from tfgan_suite.training.trainer import Trainer
trainer = Trainer(experiment.load(sys.argv[1], {"wts_dir": "two_" + sys.argv[1]}), io.StringIO())
assert trainer.strategy.num_replicas_in_sync == 2
trainer.run()
"""
COMMON = ("system, fmapBase, fmapMax, latentSize, endRes, obj = 'pggan', 8, 3, 3, 8, 1.0\n"
          "batch_table, stdDevGroup, data_path, ema, smoothing = '4:8,8:8', 0, 'digits', True, 0.9\n"
          "samplesWhileStable, samplesWhileFade, saveImageEvery = 8, 16, 1000\n")
RUNS = {"original": "unrollCritic, nCritPerGen, gOptimizer_betas = 1, 2, '0.5 0.9'\n",
        "paper": "networks, classes, fade_reals, reset_optimizer = 'paper', 10, True, True\n"
                 "gOptimizer_betas, cOptimizer_betas = '0.5 0.9', '0.5 0.9'\n"}


@pytest.mark.parametrize("name", list(RUNS))
def test_same_weights(tmp_path, monkeypatch, name):
    """Each in a process of its own: TensorFlow's collectives do not bear two strategies in one."""
    monkeypatch.chdir(tmp_path)
    Path("exp").mkdir()
    Path(f"exp/{name}.py").write_text(COMMON + RUNS[name])
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", TWO, name], env={**os.environ, "PYTHONPATH": root},
                          timeout=400, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    Trainer(experiment.load(name, {"wts_dir": f"one_{name}"}), io.StringIO()).run()
    for kind in ("g", "d", "a"):
        one, two = (np.load(f"{count}_{name}/iter_4.{kind}model.npz") for count in ("one", "two"))
        for array in one.files:
            np.testing.assert_allclose(two[array], one[array], atol=2e-5, err_msg=array)
