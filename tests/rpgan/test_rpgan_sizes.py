"""Sizes that the original's equations allow: any kernel of the generator from 2 up, sides that are no power
of two."""
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.rpgan.system import RPGAN


def system_of(place, **changes):
    """A small system, its options read as from a command line."""
    changes = {"zlen": 5, "f1": 8, "df": 2, "bsz": 2, "filts": "4,2,1,2", "wts_dir": place, **changes}
    return RPGAN(experiment.load("digits", {name: str(value) for name, value in changes.items()}))


@pytest.mark.parametrize("ksz, imsz", [(2, 16), (3, 32), (6, 48), (7, 24), (12, 24)])
def test_any_kernel_from_two_up(tmp_path, ksz, imsz):
    """The first map has ksz - ksz%2 pixels, each further one twice as many; every part is trained."""
    system = system_of(tmp_path, ksz=ksz, imsz=imsz)
    g = system.networks["g"]
    assert g.named()["c2_w"].shape[:2] == (ksz,
                                           ksz) and g.blocks[0](tf.zeros([2, 5])).shape[1] == ksz - ksz % 2
    before = {name: array.copy() for name, array in g.arrays()}
    real = tf.random.stateless_uniform([2, imsz, imsz, 3], [1, 2], -1, 1)
    z = {name: tf.random.stateless_uniform([2, 5], [i, 0], -1, 1) for i, name in enumerate(("z_g", "z_d"))}
    scalars = system.update(tf.constant(0, tf.int64), {"real": real}, z, None)
    assert np.isfinite(float(scalars["G"])) and system.generate(np.zeros((2, 5), np.float32)).shape == (
        2,
        imsz,
        imsz,
        3,
    )
    changed = [name for name, array in g.arrays() if not np.array_equal(array, before[name])]
    assert changed == list(before)


def test_what_does_not_fit(tmp_path):
    """One line with a side that does."""
    with pytest.raises(UserError,
                       match="imsz=64: with ksz=6 the side must be 6 times a power of two, for example 48"):
        system_of(tmp_path, ksz=6, imsz=64)
    with pytest.raises(UserError, match="ksz"):
        system_of(tmp_path, ksz=1, imsz=64)
