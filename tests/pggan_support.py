"""What the tests of PGGAN share: parameters from a fixture's flags, layouts."""
import numpy as np

from tfgan_suite import experiment
from tfgan_suite.pggan.networks import Architecture, Critic, Generator


def make_params(**flags):
    """Parameters of system pggan with some flags changed, checked and typed as from a command line."""
    declared = experiment.declared("pggan")
    values = {name: p.default for name, p in declared.items()}
    values.update({name: declared[name].convert(value, "test") for name, value in flags.items()})
    values.update(system="pggan", wts_dir="models/test", log_dir="logs/test")
    return experiment.Parameters("test", values, dict.fromkeys(values, "default"), declared)


def shape_of(flags):
    """Architecture of a fixture's flags."""
    return Architecture.of(make_params(**flags))


def networks_of(flags):
    """Generator and critic of a fixture's flags."""
    return Generator(shape_of(flags)), Critic(shape_of(flags))


def nhwc(x):
    """NCHW -> NHWC; other ranks unchanged."""
    return np.transpose(x, (0, 2, 3, 1)) if np.ndim(x) == 4 else x


def nchw(x):
    """NHWC -> NCHW; other ranks unchanged."""
    x = np.asarray(x)
    return np.transpose(x, (0, 3, 1, 2)) if x.ndim == 4 else x


def fraction(alpha, tf):
    """The `alpha` argument of a network."""
    return None if alpha >= 1.0 else tf.constant(alpha, tf.float64)
