"""Counts what crosses between devices in one iteration: python house_bytes.py DEVICES CASE ...

Prints JSON: case -> trainable parameters by network, the iteration, and bytes that each device puts into sums
over all devices: how often as many as a network has (`gradients`), and all the rest (`others`).
"""
from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]
from house_cases import prepare  # noqa: E402

BATCHES = {"rpgan": "bsz", "dcgan": "batch_size", "gan64": "batch_size", "glis_batch": "batch_size",
           "sngan": "BATCH_SIZE", "projection": "batchsize", "mixture": "batch_size"}
STEPS = {"gan64": 1, "sngan": 1}  # the first iteration has no step of G


def count(name: str, devices: int) -> dict:
    """Traces one iteration of a case on so many logical CPUs."""
    import tensorflow as tf

    from tfgan_suite import experiment
    from tfgan_suite.training.feed import Feed
    from tfgan_suite.training.trainer import Trainer

    batch = {"batch_table": "4:12,8:12"} if name == "pggan" else {BATCHES[name]: "12"}
    batch.update({"dataset_size": "48"} if name == "dcgan" else {})
    trainer = Trainer(experiment.load(name, {**batch, "wts_dir": f"models/{name}", "log_dir": "logs"}),
                      io.StringIO())
    system, step = trainer.system, STEPS.get(name, 0)
    feed = Feed(system, system.source(), trainer.strategy, step, step + 1)
    traced = trainer.function(system.phase(step), step).get_concrete_function(tf.constant(step, tf.int64),
                                                                             feed.get(step))
    feed.close()
    moved = {kind: sum(v.shape.num_elements() for v in moving(system, kind, step)) for kind in "gd"}
    gradients, others = Counter(), 0
    for operation in traced.graph.get_operations():
        if operation.type.startswith("Collective") and operation.outputs[0].dtype != tf.resource:
            size = operation.outputs[0].shape.num_elements()
            kind = next((kind for kind, parameters in moved.items() if parameters == size), None)
            gradients[kind] += kind is not None
            others += 0 if kind else size * operation.outputs[0].dtype.size
    return {"moved": moved, "gradients": {kind: gradients[kind] / devices for kind in moved},
            "others": others / devices, "batch": system.batch_size}


def moving(system, kind: str, step: int) -> list:
    """The variables that a step of a network moves."""
    if hasattr(system, "_trained"):  # PGGAN: those of the levels so far
        return system._trained(kind, system.phase(step).level)
    return system.networks[kind].trainable_variables


def main(devices: int, names: list[str]) -> None:
    """Prints the counts of all cases."""
    import tensorflow as tf

    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                               [tf.config.LogicalDeviceConfiguration()] * devices)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        found = {name: count(name, devices) for name in names}
        os.chdir("/")
    print(json.dumps(found, default=lambda x: np.asarray(x).tolist()))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(int(sys.argv[1]), sys.argv[2:])
