"""What `--dry-run` prints: networks, parameter counts, and about how much memory an iteration takes."""
from __future__ import annotations

import numpy as np
import tensorflow as tf


def graph_peak(graph) -> int:
    """Bytes alive at the worst moment if the graph's operations run in the order in which they were made.

    Every tensor lives from its operation to its last consumer; the bodies of loops and branches count with their own peak
    while their operation runs. Buffers that kernels take for themselves are not seen.
    """
    operations = graph.get_operations()
    last = {}
    for i, operation in enumerate(operations):
        for tensor in operation.inputs:
            last[id(tensor)] = i
    ends: dict[int, list[int]] = {}
    alive = peak = 0
    for i, operation in enumerate(operations):
        fresh = 0 if _aliases(operation) else sum(_bytes(t) for t in operation.outputs)
        if operation.type == "TensorListStack":  # while it is put together, its pieces are there too
            peak = max(peak, alive + 2 * fresh)
        alive += fresh
        peak = max(peak, alive + _inner_peak(graph, operation))
        for tensor in operation.outputs:
            if fresh:
                ends.setdefault(last.get(id(tensor), i), []).append(_bytes(tensor))
        alive -= sum(ends.pop(i, ()))
    return peak


def _aliases(operation) -> bool:
    return operation.type in ("Identity", "IdentityN", "Reshape", "Placeholder", "ReadVariableOp", "StopGradient", "Squeeze",
                              "ExpandDims", "VarHandleOp", "NoOp")


def _bytes(tensor) -> int:
    shape = tensor.shape
    if not shape.is_fully_defined() or tensor.dtype in (tf.resource, tf.variant, tf.string):
        return 0
    return int(np.prod(shape.as_list(), dtype=np.int64)) * tensor.dtype.size


def _inner_peak(graph, operation) -> int:
    names = [operation.get_attr(a).name for a in ("f", "body", "then_branch", "else_branch") if a in operation.node_def.attr]
    peaks = [0]
    for name in names:
        function = graph._get_function(name)
        inner = getattr(function, "graph", None)
        if inner is not None:
            peaks.append(graph_peak(inner))
    return max(peaks)


def describe(trainer) -> str:
    """Networks with parameter counts and the memory estimate of one iteration of a `Trainer`'s system."""
    system = trainer.system
    lines = [f"experiment {trainer.params.name}, system {trainer.params.system}, {system.iterations} iterations, "
             f"batch {system.batch_size}, {trainer.strategy.num_replicas_in_sync} device(s)"]
    weights = 0
    for kind, network in system.networks.items():
        count = network.parameter_count()
        weights += sum(int(np.prod(v.shape, dtype=np.int64)) for v in network.variables) * 4
        lines.append(f"network {kind.upper()}: {type(network).__name__}, {count:,} parameters")
        lines += [f"  {name:40s} {'x'.join(map(str, shape)) or 'scalar'}" for name, shape in _some(network.shapes())]
    state = sum(int(np.prod(v.shape, dtype=np.int64)) * 4 for v in system.state().values())
    step = step_bytes(trainer)
    gib = 2.0**30
    lines.append(f"memory: weights {weights / gib:.2f} GiB + optimiser state {state / gib:.2f} GiB + one iteration "
                 f"{step / gib:.2f} GiB + TensorFlow 0.50 GiB = about {(weights + state + step) / gib + 0.5:.2f} GiB")
    return "\n".join(lines)


def _some(shapes: dict, most: int = 40) -> list:
    rows = list(shapes.items())
    return rows if len(rows) <= most else [*rows[:most], (f"... and {len(rows) - most} more arrays", ())]


def step_bytes(trainer) -> int:
    """Bytes that the tensors of the heaviest iteration need at the worst moment, beyond weights and optimiser state."""
    system = trainer.system
    batch = trainer.spec()
    concrete = trainer.function(system.phase(system.heaviest)).get_concrete_function(tf.TensorSpec((), tf.int64), batch)
    return graph_peak(concrete.graph)
