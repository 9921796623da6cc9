"""Each optimiser's one operation against its rule written out: weights and state after some steps, on one
device and on two."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import optimizers

RATE = 1e-3
MAKES = {
    "adam": lambda: optimizers.adam(RATE, 0.5, 0.999),
    "adam, beta_1 of 0": lambda: optimizers.adam(RATE, 0.0, 0.9),
    "RMSProp of TF1": lambda: optimizers.RMSPropTF1(RATE),
    "RMSprop of torch": lambda: optimizers.RMSpropTorch(RATE),
    "Adam of torch": lambda: optimizers.AdamTorch(RATE, 0.0, 0.99, weight_decay=0.01),
}
OPERATIONS = {"adam": "ResourceApplyAdam", "adam, beta_1 of 0": "ResourceApplyAdam",
              "RMSProp of TF1": "ResourceApplyRMSProp", "RMSprop of torch": "ResourceApplyAdagradV2",
              "Adam of torch": "ResourceApplyAdam"}
STEPS = 5


def gradients(step: int) -> list:
    """Two gradients, smaller from step to step, so that the moments remember larger ones."""
    draw = np.random.default_rng(step)
    return [(draw.normal(size=shape) * 4.0**-step).astype(np.float32) for shape in ((40, 7), (3,))]


def trained(name: str, fused: bool, strategy=None) -> dict:
    """Weights and state by name after some steps; replica r gets (2 + r) / 2.5 times the gradients, whose
    mean is one."""
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        draw = np.random.default_rng(9)
        variables = [tf.Variable(draw.normal(size=g.shape).astype(np.float32)) for g in gradients(0)]
        optimizer = MAKES[name]()
        optimizer.fused = fused
        optimizer.build(variables)

    @tf.function(autograph=False)
    def step(values):
        def replica(values):
            context = tf.distribute.get_replica_context()
            if strategy.num_replicas_in_sync == 2:
                share = (tf.cast(context.replica_id_in_sync_group, tf.float32) + 2.0) / 2.5
                values = [share * value for value in values]
            optimizers.apply(optimizer, values, variables)
        strategy.run(replica, args=(values,))

    for i in range(STEPS):
        step([tf.constant(g) for g in gradients(i)])
    found = [("w", v) for v in variables] + [(v.name, v) for v in optimizer.variables]
    return {f"{i} {name}": v.numpy() for i, (name, v) in enumerate(found)}


def close(found: dict, expected: dict) -> None:
    """Within rounding: of the weights (moved by RATE a step), of each slot's largest number.

    The operation, as TF1 did, takes 1 - beta_2 of the float32 nearest to beta_2: with 0.999 that is 1.3e-5
    less than the 0.001 that the plain form multiplies by, and so are its mean squares.
    """
    assert list(found) == list(expected)
    for name, value in expected.items():
        tolerance = 2e-5 if "v/" in name else 2e-6
        np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=1e-6 * np.max(np.abs(value)),
                                   err_msg=name)


@pytest.mark.parametrize("name", MAKES)
def test_one_operation_makes_the_step_of_the_plain_twin(name):
    close(trained(name, True), trained(name, False))


@pytest.mark.parametrize("name", MAKES)
def test_the_step_is_one_operation(name):
    variable, optimizer = tf.Variable(tf.ones([4])), MAKES[name]()
    optimizer.build([variable])
    step = tf.function(lambda g: optimizers.apply(optimizer, [g], [variable]), autograph=False)
    operations = [op.type for op in step.get_concrete_function(tf.ones([4])).graph.get_operations()]
    assert operations.count(OPERATIONS[name]) == 1
    assert "AssignSubVariableOp" not in operations


def test_what_a_file_holds_has_the_names_that_it_had():
    """What serves the one operation alone is in no state."""
    names = {name: [v.name.split("/")[0].split(":")[0] for v in made.variables]
             for name, made in ((name, make()) for name, make in MAKES.items())
             if made.build([tf.Variable(1.0)]) is None}
    assert names == {"adam": ["iteration", "m", "v"], "adam, beta_1 of 0": ["iteration", "m", "v"],
                     "RMSProp of TF1": ["iteration", "rms"], "RMSprop of torch": ["iteration", "square_avg"],
                     "Adam of torch": ["iteration", "exp_avg", "exp_avg_sq", "step"]}


TWO = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import test_optimizers as one
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name in one.MAKES:
    one.close(one.trained(name, True, strategy), one.trained(name, False))
"""


def test_two_replicas_make_the_step_of_one():
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run([sys.executable, "-c", TWO], capture_output=True, text=True, timeout=300,
                          check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)})
    assert done.returncode == 0, done.stderr[-3000:]
