"""What the Jensen-Shannon regulariser costs: a whole iteration with it against one without, in DCGAN and in
the ResNet."""
from __future__ import annotations

import tensorflow as tf

from benchmarks import timing
from tfgan_suite import experiment, registry

CASES = {
    "DCGAN 32x32": ("jsreg_dcgan_celeba", {"gf_dim": 32, "df_dim": 32, "batch_size": 32}),
    "ResNet 64x64": ("jsreg_resnet_lsun", {"DIM": 16, "batch_size": 8}),
}


def step(name: str, changes: dict):
    """One training iteration of an experiment on a batch of the embedded digits, as a function without
    arguments."""
    params = experiment.load(name).replace(**changes, dataset="digits")
    system = registry.system_class(params.system)(params)
    batch = {key: tf.constant(array) for key, array in system.batch(1, system.source()).items()}
    phase = system.phase(1)

    @tf.function
    def run(number):
        return system.iteration(number, batch, phase)

    return lambda: run(tf.constant(1, tf.int64))


def run(options) -> list[dict]:
    """Rows: case, milliseconds of an iteration with and without the regulariser, their ratio.

    Args:
        options: `rounds` and `case` (a part of the case's name, or '').
    """
    rows = []
    for case, (name, changes) in CASES.items():
        if options["case"] in case:
            ways = {"with": step(name, changes), "without": step(name, {**changes, "unreg": True})}
            seconds = timing.compare(ways, options["rounds"])
            rows.append({"case": case, **{f"{way}, ms": 1e3 * value for way, value in seconds.items()},
                         "ratio": seconds["with"] / seconds["without"]})
    return rows
