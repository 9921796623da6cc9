"""Every system in bfloat16: one iteration whose networks compute in it, beside the same one in float32."""
import os
import shutil
import sys
from pathlib import Path

import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import experiment
from tfgan_suite.training import runs

sys.path.append(str(Path(__file__).parent / "house"))
from house_cases import EARLIER, prepare  # noqa: E402

CASES = ("rpgan", "rpgan_baseline", "glis_batch", "glis_weight", "lis_iterative", "lis_separate", "dcgan",
         "gan64", "mixture", "sngan", "projection", "pggan")


@pytest.fixture
def place(tmp_path, monkeypatch):
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    tf.keras.mixed_precision.set_global_policy("float32")


def iteration(name: str, precision: str):
    """(system, scalars) of its second iteration."""
    system = runs.build(experiment.load(name, {"precision": precision}))
    source = system.source()
    batch = {key: tf.constant(array) for key, array in system.batch(1, source).items()}
    scalars = system.iteration(tf.constant(1, tf.int64), batch, system.phase(1))
    return system, {key: tf.convert_to_tensor(value) for key, value in scalars.items()}


@pytest.mark.parametrize("name", CASES)
def test_an_iteration_in_bfloat16(place, name):
    """Weights, optimisers' state and scalars are float32; losses are those of float32 but for its rounding,
    the networks' outputs are not."""
    if name in EARLIER:
        shutil.copytree(golden.folder("house") / EARLIER[name], f"models/{EARLIER[name]}")
    (_, exact), (system, half) = iteration(name, "float32"), iteration(name, "bfloat16")
    held = [*(v for network in system.networks.values() for v in network.variables),
            *(v for optimizer in system.optimizers.values() for v in optimizer.variables)]
    assert {v.dtype for v in held if v.dtype.is_floating} == {tf.float32}
    assert exact.keys() == half.keys()
    for key, value in half.items():
        assert value.dtype == exact[key].dtype and np.all(np.isfinite(value)), key
        if "regulari" not in key and "norm" not in key:
            np.testing.assert_allclose(value, exact[key], rtol=0.1, atol=0.03, err_msg=key)
    assert any(not np.array_equal(value, exact[key]) for key, value in half.items())


def test_fast_float32_is_float32_with_a_setting_of_the_library(place, monkeypatch):
    monkeypatch.setitem(os.environ, "TF_SET_ONEDNN_FPMATH_MODE", "STRICT")
    system = runs.build(experiment.load("mixture", {"precision": "float32_fast"}))
    assert os.environ["TF_SET_ONEDNN_FPMATH_MODE"] == "BF16"
    assert system.networks["g"](tf.zeros([2, system.params.z_dim])).dtype == tf.float32
    assert tf.keras.mixed_precision.global_policy().name == "float32"
