"""Several workers, and batch statistics across replicas."""
import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from test_trainer import train, weights
from tiny import ROOT, workplace

from tfgan_suite import distributed
from tfgan_suite.errors import UserError
from tfgan_suite.files.checkpoints import Checkpoints


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start_workers(count, *options):
    """Starts `count` workers of one run on this machine."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(count)]
    command = [sys.executable, str(ROOT / "train.py"), "tiny", "--wts_dir=two", "--log_dir=logs/two",
               *options]
    processes = []
    for index in range(count):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        env = {**os.environ, "TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "3"}
        processes.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True))
    return processes


def end(processes):
    """What each wrote, (stdout, stderr)."""
    return [p.communicate(timeout=240) for p in processes]


def close_to_one_process(iteration):
    """The run of the workers against one process."""
    train(wts_dir="one", MAXITER=iteration, SAVEFREQ=0)
    one, two = weights("one", iteration), weights("two", iteration)
    for name in one:
        if name.startswith(("g/", "d/")):
            np.testing.assert_allclose(one[name], two[name], atol=5e-6 * iteration, err_msg=name)


def test_two_workers_equal_one_process(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    processes = start_workers(2)
    outputs = end(processes)
    assert [p.returncode for p in processes] == [0, 0], outputs[0][1][-1500:] + outputs[1][1][-1500:]
    assert "Starting from Iteration 0" in outputs[0][0] and "Iteration" not in outputs[1][0]
    close_to_one_process(4)


def test_a_run_that_loses_a_worker_goes_on_where_it_was(tmp_path, monkeypatch):
    """The other worker ends with a line; started again, both end as if nothing had happened."""
    workplace(tmp_path, monkeypatch)
    processes = start_workers(2, "--MAXITER=100000", "--SAVEFREQ=4")
    waited = time.monotonic() + 240
    while Checkpoints("two").newest("g") is None:
        assert time.monotonic() < waited and processes[0].poll() is None, end(processes)
        time.sleep(0.1)
    processes[1].kill()
    (_, said), _ = end(processes)
    assert processes[0].returncode == 2, said[-1500:]
    assert said.count("\n") == 1 and "another worker of this run is gone" in said
    saved = Checkpoints("two").newest("g")
    processes = start_workers(2, f"--MAXITER={saved + 4}", "--SAVEFREQ=4")
    outputs = end(processes)
    assert [p.returncode for p in processes] == [0, 0], outputs[0][1][-1500:]
    assert f"Starting from Iteration {saved}" in outputs[0][0]
    close_to_one_process(saved + 4)


def test_moments_have_exact_second_derivatives():
    x = tf.Variable(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float64))

    def penalty(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            mean, variance = distributed.moments(values, (0,))
            y = tf.reduce_sum(tf.sin((values - mean) * tf.math.rsqrt(variance + 0.1)))
        return tf.reduce_sum(tf.square(tape.gradient(y, values)))

    with tf.GradientTape() as tape:
        value = penalty(x)
    gradient = tape.gradient(value, x).numpy()
    step, at = 1e-6, x.numpy()
    for index in np.ndindex(at.shape):
        high, low = at.copy(), at.copy()
        high[index] += step
        low[index] -= step
        numeric = (penalty(tf.constant(high)) - penalty(tf.constant(low))) / (2 * step)
        np.testing.assert_allclose(gradient[index], numeric, rtol=1e-5, atol=1e-7)


def test_a_repeated_step_is_traced_once_and_keeps_its_order(monkeypatch):
    traced, state = [], tf.Variable(1.0)

    def step(x):
        traced.append(x)
        state.assign(state * x + 1.0)
        return state.read_value()

    @tf.function(autograph=False)
    def run():
        once = distributed.traced_once(step)
        return [once(tf.constant(x)) for x in (2.0, 3.0, 5.0)]

    assert [float(x) for x in run()] == [3.0, 10.0, 51.0] and len(traced) == 1
    monkeypatch.setattr(distributed, "replicas", lambda: 2)
    assert distributed.traced_once(step) is step


class Cards:
    """TensorFlow's list of devices, with some GPUs that take down what is asked of them."""

    def __init__(self, monkeypatch, count, refuses=False):
        self.grown, self.refuses = [], refuses
        cards = [tf.config.PhysicalDevice(f"/physical_device:GPU:{i}", "GPU") for i in range(count)]
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: cards
                            if kind == "GPU" else [])
        monkeypatch.setattr(tf.config.experimental, "set_memory_growth", self.grow)

    def grow(self, card, on):
        if self.refuses:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.grown.append((card.name, on))


@pytest.mark.parametrize("refuses", [False, True])
def test_every_gpu_takes_memory_as_it_needs_it(monkeypatch, refuses):
    cards = Cards(monkeypatch, 2, refuses)
    distributed.grow_memory()
    assert cards.grown == ([]
                           if refuses else [("/physical_device:GPU:0", True),
                                            ("/physical_device:GPU:1", True)])


@pytest.mark.parametrize("gpus, cpus, used", [
    (0, 1, []), (1, 1, []), (1, 4, []), (2, 1, ["GPU:0", "GPU:1"]), (3, 2, ["GPU:0", "GPU:1", "GPU:2"]),
    (0, 2, ["CPU:0", "CPU:1"])])
def test_the_strategy_by_the_devices(monkeypatch, gpus, cpus, used):
    counts = {"GPU": gpus, "CPU": cpus}
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [
        tf.config.LogicalDevice(f"{kind}:{i}", kind) for i in range(counts[kind])])
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda names: names)
    found = distributed.strategy()
    assert found == used if used else found is tf.distribute.get_strategy()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cluster": {"worker": ["a:1"]}}', '"x"',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}'])
def test_a_cluster_that_is_none(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="TF_CONFIG: does not describe a cluster"):
        distributed.strategy()


def test_a_hidden_gpu_is_not_used():
    """CUDA_VISIBLE_DEVICES='' leaves the CPU, and no strategy over devices."""
    code = ("from tfgan_suite import distributed; import tensorflow as tf; found = distributed.strategy();"
            "print(found.num_replicas_in_sync, tf.config.list_logical_devices('GPU'))")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
                          capture_output=True,
                          text=True, timeout=120, check=True)
    assert done.stdout == "1 []\n"


DEVICES = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
from tfgan_suite import cli, experiment
from tfgan_suite.training.trainer import Trainer
cli.main(lambda argv: Trainer(experiment.load("tiny")).run())
"""


def test_a_batch_that_the_devices_do_not_divide_is_one_line(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    done = subprocess.run([sys.executable, "-c", DEVICES], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 2
    assert done.stderr == "-c: batch size 4 cannot be split over 3 devices; choose a multiple of 3\n"
