"""One way of doing an iteration, in a process of its own: `python worker.py WAY CASE`, see `turns`.

It imports nothing of this repository but what PYTHONPATH finds, so that another state of the package can be measured as well.
"""
from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def iteration(case: dict, precision: str):
    """One iteration of an experiment on a batch in memory, as a function without arguments that waits for
    the result.

    Args:
        case: `experiment`, and `values` that differ from it.
    """
    import tensorflow as tf

    from tfgan_suite import experiment, registry

    tf.config.threading.set_intra_op_parallelism_threads(case["threads"])
    tf.keras.mixed_precision.set_global_policy("float32" if precision == "float32" else f"mixed_{precision}")
    params = experiment.load(case["experiment"], {**case["values"], "precision": precision},
                             case.get("system"))
    system = registry.system_class(params.system)(params)
    number = max(system.heaviest, 1)
    batch, phase = {name: tf.constant(array) for name, array in _batch(system, number).items()}, system.phase(number)
    run = tf.function(lambda step: system.iteration(step, batch, phase), autograph=False)
    step = tf.constant(number, tf.int64)

    def call():
        for value in run(step).values():
            value.numpy()

    return call


def _batch(system, number: int) -> dict:
    """Random numbers in the shapes of a batch, or, where a system does not say them, a batch of its data."""
    import numpy as np

    spec, draw = system.batch_spec(), np.random.default_rng(0)
    if spec is None:
        return system.batch(number, system.source())
    found = {}
    for name, s in spec.items():
        shape, kind = s.shape, s.dtype.as_numpy_dtype
        if np.issubdtype(kind, np.floating):
            found[name] = draw.uniform(0, 1, shape).astype(kind)
        else:
            found[name] = draw.integers(0, 256 if kind is np.uint8 else 2, shape).astype(kind)
    return found


def peer(case: dict, way: str):
    """The PyTorch counterpart of a case."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks import peers_torch

    return peers_torch.make(case["peer"], way, case["threads"])


def main(way: str, text: str) -> None:
    """Says `ready` with the seconds to the first result, then the seconds of an iteration for each line that comes."""
    out, case = os.fdopen(os.dup(1), "w", buffering=1), json.loads(text)
    os.dup2(2, 1)  # libraries' own lines
    began = time.perf_counter()
    kind, _, how = way.partition(" ")
    call = peer(case, how) if kind == "torch" else iteration(case, how)
    call()
    out.write(json.dumps({"ready": time.perf_counter() - began}) + "\n")
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            call()
        out.write(json.dumps({"seconds": (time.perf_counter() - began) / int(line)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
