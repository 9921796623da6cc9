"""What the tests of PGGAN share: parameters from a fixture's flags, layouts."""
import numpy as np
import tensorflow as tf

from tfgan_suite import experiment
from tfgan_suite.pggan.networks import Architecture, Critic, Generator
from tfgan_suite.pggan.system import PGGAN

SMALL = {"fmapBase": 16, "fmapMax": 6, "latentSize": 5, "endRes": 16, "stdDevGroup": 2, "batch_table": "4:4,8:4,16:4",
         "samplesWhileStable": 8, "samplesWhileFade": 12, "obj": 1.0, "data_path": "digits"}


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


def fraction(alpha):
    """The `alpha` argument of a network."""
    return None if alpha >= 1.0 else tf.constant(alpha, tf.float64)


def make(**flags):
    """A training system of the size SMALL with some flags changed."""
    return PGGAN(make_params(**{**SMALL, **flags}))


def run(system, source, start, end):
    """Iterations start..end-1, untraced (that takes longer than a few iterations); the scalars of the last."""
    for step in range(start, end):
        batch = {k: tf.constant(v) for k, v in system.batch(step, source).items()}
        scalars = system.iteration(tf.constant(step, tf.int64), batch, system.phase(step))
    return {name: float(value) for name, value in scalars.items()}


def values(system):
    """All weights and all state, by name."""
    found = {f"{kind}/{name}": v for kind, net in system.networks.items() for name, v in net.arrays()}
    return {**found, **{name: v.numpy() for name, v in system.state().items()}}
