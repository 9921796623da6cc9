"""Low precision: networks compute in it, losses and codes stay float32."""
import pytest
import tensorflow as tf
from lis_support import parameters

from tfgan_suite.lis.system import SYSTEMS


@pytest.mark.parametrize("norm", ["batch", "weight", "weight-affine"])
def test_an_iteration_in_bfloat16(norm, tmp_path):
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        system = SYSTEMS["glis"](parameters("glis", tmp_path, norm=norm, d_dropout=0.2,
                                            always_train_all=True))
        scalars = system.iteration(tf.constant(0, tf.int64), {"images": tf.zeros((4, 8, 8, 3))})
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)
    assert all(v.dtype == tf.float32 for v in scalars.values())
    assert 0 < float(scalars["d-real"]) < 3
    assert float(scalars["r1"]) > 0
