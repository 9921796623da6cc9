"""The regulariser for a GAN of one's own: the program in docs/jsreg.md runs, and the regulariser holds D's
gradients down."""
import re

import numpy as np
import tensorflow as tf
from tiny import ROOT

from tfgan_suite import penalties

BLOCK, = re.findall(r"```python\n(.*?)```", (ROOT / "docs/jsreg.md").read_text(), re.S)


def trained(gamma: float) -> dict:
    """The program's names after it has run with another gamma."""
    tf.keras.utils.set_random_seed(1)
    names = {}
    exec(BLOCK.replace("GAMMA, DECAY = 300, 2.0, 0.01", f"GAMMA, DECAY = 300, {gamma}, 1.0"), names)
    return names


def test_the_program_of_the_page():
    assert len([line for line in BLOCK.splitlines() if line.strip()]) <= 34
    found = {gamma: trained(gamma) for gamma in (0.0, 50.0)}
    norms = {}
    for gamma, names in found.items():
        assert names["GAMMA"] == gamma and np.isfinite(names["loss"]) and np.isfinite(names["regularizer"])
        points = tf.random.stateless_normal((256, 2), [0, 1])
        norms[gamma] = float(penalties.js_regularizer(names["discriminator"], points, points).real_norm)
    assert norms[50.0] < 0.8 * norms[0.0]  # the sign: D minimises loss + gamma/2 * value
