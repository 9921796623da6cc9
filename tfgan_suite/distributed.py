"""The strategy, and the few places where the number of replicas shows.

Rule for systems: write losses as means over *your* batch. `optimizers.apply` averages the gradients over the
    replicas, the
trainer averages the scalars, and `moments` below gives batch statistics of the global batch.
"""
from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

import tensorflow as tf

from tfgan_suite.errors import UserError, reading, reason


def grow_memory() -> None:
    """Lets every GPU that this process sees take memory as it needs it, instead of all of it at once.

    It has to come before the first computation; after that TensorFlow refuses, and things stay as they are.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)


def devices() -> list[str]:
    """Names of the devices of this process that computations are shared between: its GPUs, else its
    (logical) CPUs."""
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def several_machines() -> bool:
    """Whether this process is one of several workers (`TF_CONFIG`)."""
    return bool(os.environ.get("TF_CONFIG"))


def _check_cluster(text: str) -> None:
    """Raises:
        UserError: TF_CONFIG does not say who the workers are and which of them this process is.
    """
    advice = "correct it, or unset it to train with this process alone"
    with reading("environment variable TF_CONFIG", "does not describe a cluster and a task in it", advice):
        given = json.loads(text)
        task = given["task"]
        if not given["cluster"][task["type"]][int(task["index"])]:
            raise ValueError("a worker without an address")


def strategy(split: bool = True) -> tf.distribute.Strategy:
    """By what is there: TF_CONFIG -> several workers; several GPUs (or logical devices) -> mirrored; else one
    device.

    Args:
        split: whether the batch is shared out; without it there is one replica, whatever is there.

    Raises:
        UserError: TF_CONFIG is set and means nothing.
    """
    grow_memory()
    if not split:
        return tf.distribute.get_strategy()
    if several_machines():
        _check_cluster(os.environ["TF_CONFIG"])
        return tf.distribute.MultiWorkerMirroredStrategy()
    found = devices()
    return tf.distribute.MirroredStrategy(found) if len(found) > 1 else tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run's files: always, but for the further workers of a multi-worker
    run."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or ("chief" not in resolver.cluster_spec().jobs
                                             and resolver.task_id == 0)


_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
         tf.errors.DeadlineExceededError)


@contextlib.contextmanager
def all_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Around a run: that another worker has gone becomes one line.

    Raises:
        UserError: in place of the error of the operation that has waited for it.
    """
    resolver = strategy.cluster_resolver
    try:
        yield
    except _LOST as error:
        if resolver is None or not resolver.task_type:
            raise
        raise UserError(f"another worker of this run is gone ({reason(error)}); start all workers again: the "
                        f"run goes on from its newest checkpoint") from error


def replicas() -> int:
    """How many replicas run this step in sync."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def traced_once(step):
    """`step`, for an iteration that makes it several times: traced once and called, where there is one
    device. Replicas meet inside a step, which they cannot within a function of its own.

    Args:
        step: a function of tensors, of the same shapes each time.
    """
    return tf.function(step, autograph=False) if replicas() == 1 else step


def all_mean(tensor: tf.Tensor) -> tf.Tensor:
    """Mean over the replicas, with gradients; the tensor itself where there is one replica."""
    context = tf.distribute.get_replica_context()
    if replicas() == 1 or context is None:
        return tensor
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensor) / tf.cast(replicas(), tensor.dtype)


def gather(tensor: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, [global batch, ...], with gradients of any order; the tensor itself where
    there is one replica. What `local` takes apart."""
    context = tf.distribute.get_replica_context()
    if replicas() == 1 or context is None:
        return tensor
    rows = tensor.shape[0]
    before = tf.cast(context.replica_id_in_sync_group, tf.int32) * rows
    after = rows * (replicas() - 1) - before
    padded = tf.pad(tensor, [[before, after], *[[0, 0]] * (tensor.shape.rank - 1)])
    whole = tf.ensure_shape(padded, [rows * replicas(), *tensor.shape[1:]])
    return context.all_reduce(tf.distribute.ReduceOp.SUM, whole)


def local(tensor: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a tensor [global batch, ...]; the tensor itself where there is one replica."""
    context = tf.distribute.get_replica_context()
    if replicas() == 1 or context is None:
        return tensor
    rows = tensor.shape[0] // replicas()
    start = tf.cast(context.replica_id_in_sync_group, tf.int32) * rows
    part = tf.slice(tensor, [start] + [0] * (tensor.shape.rank - 1), [rows] + tensor.shape[1:])
    return tf.ensure_shape(part, [rows] + tensor.shape[1:])


def moments(x: tf.Tensor, axes) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of the global batch over `axes` (kept as size 1), exact in every order of
    derivative.

    `tf.nn.moments` stops the gradient of the mean inside the variance, which makes second derivatives wrong.
    """
    mean = all_mean(tf.reduce_mean(x, axes, keepdims=True))
    variance = all_mean(tf.reduce_mean(tf.square(x - mean), axes, keepdims=True))
    return mean, variance
