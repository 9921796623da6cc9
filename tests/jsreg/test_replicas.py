"""Two devices train what one device trains: batch statistics, regulariser and losses are of the global
batch."""
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
GAN = ("system = 'jsreg_dcgan'\nz_dim, gf_dim, df_dim, final_samples, rmsprop, bn_mode = 4, 2, 2, 0, True, "
       "'fused'\n"
       "dataset, output_height, batch_size, epochs, dataset_size, gamma = 'digits', 16, 8, 1, 16, 2.0\n")
MIXTURE = ("system = 'jsreg_mixture'\nhidden, batch_size, viz_batches, plot_freq = 8, 16, 2, 100\n"
           "max_steps, num_runs = 2, 2\n")


@pytest.mark.parametrize("name, text, last", [("gan", GAN, 2), ("mixture", MIXTURE, 4)])
def test_same_weights(tmp_path, monkeypatch, name, text, last):
    """Each in a process of its own: TensorFlow's collectives do not bear two strategies in one."""
    monkeypatch.chdir(tmp_path)
    Path("exp").mkdir()
    Path(f"exp/{name}.py").write_text(text)
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", TWO, name], env={**os.environ, "PYTHONPATH": root},
                          timeout=300,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    Trainer(experiment.load(name, {"wts_dir": f"one_{name}"}), io.StringIO()).run()
    for kind in ("g", "d"):
        one, two = (np.load(f"{count}_{name}/iter_{last}.{kind}model.npz") for count in ("one", "two"))
        for array in one.files:
            np.testing.assert_allclose(two[array], one[array], atol=2e-6, err_msg=array)
