"""One way of doing an iteration, in a process of its own: `python worker.py WAY CASE`, see `turns`.

Of this repository it imports what PYTHONPATH finds, so that another state of the package can be measured too.
"""
from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

SIDE = 2048  # of the matrices whose product is the measure of what the processor can do


def ours(case: dict, precision: str) -> tuple:
    """(one iteration as a function that waits for the result, its multiplications and additions).

    Args:
        case: `experiment`, `values` that differ from it, `system` if that is another one, and `threads`.
    """
    import tensorflow as tf

    from tfgan_suite import experiment, registry

    tf.config.threading.set_intra_op_parallelism_threads(case["threads"])
    tf.keras.mixed_precision.set_global_policy("float32" if precision == "float32" else f"mixed_{precision}")
    params = experiment.load(case["experiment"], {**case["values"], "precision": precision},
                             case.get("system"))
    system = registry.system_class(params.system)(params)
    number = max(system.heaviest, 1)
    phase, source = system.phase(number), _batch(system, number)
    batch = {name: tf.constant(array) for name, array in source.items()}
    run = tf.function(lambda step: system.iteration(step, batch, phase), autograph=False)
    step = tf.constant(number, tf.int64)

    def call():
        for value in run(step).values():
            value.numpy()

    return call, _operations(run, step)


def _operations(run, step) -> float:
    sys.path.append(str(Path(__file__).parents[1]))
    from benchmarks import operations

    return operations.count(run.get_concrete_function(step).graph)


def _batch(system, number: int) -> dict:
    """Random numbers in the shapes of a batch, or, where a system does not say them, a batch of its data."""
    import numpy as np

    spec, draw = system.batch_spec(), np.random.default_rng(0)
    if spec is None:
        return system.batch(number, system.source())
    found = {}
    for name, s in spec.items():
        kind, shape = s.dtype.as_numpy_dtype, tuple(s.shape)
        if np.issubdtype(kind, np.floating):
            found[name] = draw.uniform(0, 1, shape).astype(kind)
        else:
            found[name] = draw.integers(0, 256 if kind is np.uint8 else 2, shape).astype(kind)
    return found


def torch(case: dict, precision: str) -> tuple:
    """The PyTorch counterpart of a case."""
    sys.path.append(str(Path(__file__).parents[1]))
    from benchmarks import peers_torch

    return peers_torch.make(case["peer"], precision, case["threads"], case.get("sizes", {})), None


def gemm(case: dict, precision: str) -> tuple:
    """A product of large square matrices in TensorFlow."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(case["threads"])
    a = tf.cast(tf.random.stateless_normal([case.get("side", SIDE)] * 2, [0, 0]), precision)
    product = tf.function(lambda: tf.reduce_max(tf.matmul(a, a)))
    return lambda: product().numpy(), 2.0 * case.get("side", SIDE)**3


def main(way: str, text: str) -> None:
    """Does the way once and says so; then, for each line that comes, once more, and says how many seconds it
    took, by the clock and of the processors."""
    out, case = os.fdopen(os.dup(1), "w", buffering=1), json.loads(text)
    os.dup2(2, 1)  # what libraries say does not disturb the talk
    kind, precision = way.split()
    began = time.perf_counter()
    call, operations = {"torch": torch, "gemm": gemm}.get(kind, ours)(case, precision)
    call()
    out.write(json.dumps({"first": time.perf_counter() - began, "operations": operations}) + "\n")
    for _ in sys.stdin:
        began, worked = time.perf_counter(), time.process_time()
        call()
        out.write(json.dumps({"seconds": time.perf_counter() - began,
                              "worked": time.process_time() - worked}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
