"""What `--dry-run` prints: networks, parameter counts, and about how much memory an iteration takes."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers
from tfgan_suite.experiment import Parameters
from tfgan_suite.files import memory
from tfgan_suite.training import runs

TENSORFLOW = 0.54 * 2**30  # what the process takes with networks of no size
# Of measured peaks on a CPU (docs/performance.md): what the pool of memory rounds up for weights and state;
# what runs side by side, kernels' own buffers, and the pool's gaps, for the tensors of an iteration.
ROUNDED, BESIDE = 0.05, 0.7


def graph_peak(graph) -> int:
    """Bytes alive at the worst moment if the graph's operations run in the order in which they were made.

    Every tensor lives from its operation to its last consumer; the bodies of loops and branches count with
    their own peak while their operation runs. Buffers that kernels take for themselves are not seen.
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
    return operation.type in ("Identity", "IdentityN", "Reshape", "Placeholder", "ReadVariableOp",
                              "StopGradient", "Squeeze",
                              "ExpandDims", "VarHandleOp", "NoOp")


def _bytes(tensor) -> int:
    shape = tensor.shape
    if not shape.is_fully_defined() or tensor.dtype in (tf.resource, tf.variant, tf.string):
        return 0
    return int(np.prod(shape.as_list(), dtype=np.int64)) * tensor.dtype.size


def _inner_peak(graph, operation) -> int:
    names = [operation.get_attr(a).name for a in ("f", "body", "then_branch", "else_branch")
             if a in operation.node_def.attr]
    peaks = [0]
    for name in names:
        function = graph._get_function(name)
        inner = getattr(function, "graph", None)
        if inner is not None:
            peaks.append(graph_peak(inner))
    return max(peaks)


def describe(params: Parameters) -> str:
    """Networks with parameter counts, the plan of the run, and about how much memory it takes.

    Everything is built in a graph that never runs: nothing is allocated, and nothing written.

    Raises:
        UserError: the experiment's values do not go together, or its shapes depend on data that are not
            there.
    """
    with tf.Graph().as_default(), tf.variable_creator_scope(_as_named):
        system = runs.build(params, guarded=False)
        spec = system.batch_spec()
    if spec is None:
        batch = system.batch(0, system.source())
        spec = {name: tf.TensorSpec(np.shape(a), np.asarray(a).dtype) for name, a in batch.items()}
    held = [*system.state().values(), *(v for o in system.optimizers.values() for v in optimizers.scratch(o))]
    weights, state = size(network_variables(system)), size(held)
    step, free = step_bytes(system, spec), memory.available()
    length = ", ".join(f"{name}={params.values[name]}" for name in system.length)
    lines = [f"experiment {params.name}, system {params.system}, {length}, batch {system.batches}",
             *_networks(system),
             *system.plan()]
    own = TENSORFLOW + ROUNDED * (weights + state) + BESIDE * step
    total = weights + state + step + own
    lines.append(f"memory: weights {_gib(weights)} + optimiser state {_gib(state)} + one iteration "
                 f"{_gib(step)} + TensorFlow {_gib(own)} = about {_gib(total)}, on one device; free here: "
                 f"{_gib(free)}")
    if total > free and not tf.config.list_physical_devices("GPU"):
        lines.append("This machine has too little memory for it: give smaller batches or networks, or close "
                     "other programs.")
    return "\n".join(lines)


def _as_named(create, **arguments):
    """A variable whose name is the one that was asked for: a graph puts a number behind those of a second
    network."""
    variable, name = create(**arguments), arguments.get("name")
    if name:
        variable._handle_name = f"{name}:0"
    return variable


def _gib(count: float) -> str:
    return f"{count / 2**30:.2f} GiB"


def network_variables(system) -> list:
    """The variables of all networks."""
    return [v for network in system.networks.values() for v in network.variables]


def size(variables) -> int:
    """Bytes of variables."""
    return sum(int(np.prod(v.shape, dtype=np.int64)) * v.dtype.size for v in variables)


def _networks(system) -> list[str]:
    lines = []
    for kind, network in system.networks.items():
        lines.append(f"network {kind.upper()}: {type(network).__name__}, {network.parameter_count():,} "
                     f"parameters")
        lines += _some([f"  {name:40s} {'x'.join(map(str, shape)) or 'scalar'}"
                        for name, shape in network.shapes().items()])
    return lines


def _some(rows: list[str], most: int = 40) -> list[str]:
    return rows if len(rows) <= most else [*rows[:most], f"  ... and {len(rows) - most} more arrays"]


def step_bytes(system, spec: dict) -> int:
    """Bytes that the tensors of the heaviest iteration need at the worst moment, beyond weights and optimiser
    state.

    Args:
        system: built in a graph.
        spec: of the batch of that iteration.
    """
    phase = system.phase(system.heaviest)

    @tf.function(autograph=False)
    def run(step, batch):
        return system.iteration(step, batch, phase)

    with network_variables(system)[0].graph.as_default():
        concrete = run.get_concrete_function(tf.TensorSpec((), tf.int64), spec)
    return graph_peak(concrete.graph)
