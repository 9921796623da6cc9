"""Opening the results of a run: what sampling, interpolation and evaluation share."""
from __future__ import annotations

import math
import os

import numpy as np

from tfgan_suite import registry
from tfgan_suite.errors import UserError, quoted
from tfgan_suite.experiment import Parameters
from tfgan_suite.files import memory
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training import pretrained

FLOAT_BYTES = 4


def set_precision(params: Parameters) -> None:
    """Sets Keras' global policy to the run's compute type.

    `float32_fast` is a setting of oneDNN, TensorFlow's library on x86 CPUs, which reads it at its first
    product and keeps it for the whole process.
    """
    import tensorflow as tf

    if params.precision == "float32_fast":
        os.environ["TF_SET_ONEDNN_FPMATH_MODE"] = "BF16"
    half = params.precision in ("bfloat16", "float16")
    policy = f"mixed_{params.precision}" if half else "float32"
    tf.keras.mixed_precision.set_global_policy(policy)


def build(params: Parameters, training: bool = True, guarded: bool = True):
    """The system of an experiment, with seeded initial weights.

    Args:
        guarded: refuse what this machine has no memory for.

    Raises:
        UserError: values that do not go together, or too little memory.
    """
    import tensorflow as tf

    from tfgan_suite import distributed

    distributed.grow_memory()
    system_class = registry.system_class(params.system)
    if params.precision not in system_class.precisions:
        raise UserError(f"--precision={params.precision}: system {params.system} computes in "
                        f"{' or '.join(system_class.precisions)}; leave --precision out")
    set_precision(params)
    if params.deterministic:
        tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(params.seed)
    if not guarded:
        return system_class(params, training)
    with tf.variable_creator_scope(_Allowance(params.name)):
        system = system_class(params, training)
    if training:
        _check_batch(system)
    return system


class _Allowance:
    """Refuses variables that this machine has no memory for, before they are made."""

    def __init__(self, name: str):
        self.name, self.free, self.used = name, memory.available(), 0

    def __call__(self, create, **arguments):
        shape = arguments.get("shape")
        if shape is not None and None not in tuple(shape):
            self.used += math.prod(tuple(shape)) * FLOAT_BYTES
        if self.used > self.free:
            raise UserError(f"{self.name}: its networks need more than {_gib(self.used)} GiB of memory, "
                            f"{_gib(self.free)} GiB are free; choose smaller ones")
        return create(**arguments)


def _check_batch(system) -> None:
    """Stops before a batch is made that this machine has no memory for: its data, as numbers, fakes and their
    gradients.

    Raises:
        UserError: it does not fit.
    """
    spec, free = system.batch_spec(), memory.available()
    if spec is None:  # its shapes depend on the data
        need = system.generate_bytes(system.batch_size)
    else:
        need = 3 * FLOAT_BYTES * sum(math.prod(tuple(s.shape)) for s in spec.values()
                                     if None not in tuple(s.shape))
    if need > free:
        raise UserError(f"a batch of {system.batch_size} needs more than {_gib(need)} GiB of memory, "
                        f"{_gib(free)} GiB are free; choose a smaller {system.params.batch_option()}")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"


def find_checkpoint(params: Parameters, kind: str = "g", iteration=None,
                    own: bool = False) -> tuple[Checkpoints, int]:
    """The checkpoints to sample from, and which of them: the given iteration, or the newest that has a file
    of this kind.

    Args:
        own: only those of the run, not the trained weights that come with the suite.

    Raises:
        UserError: there is none.
    """
    files = Checkpoints(params.wts_dir) if own else pretrained.files(params)
    if iteration is not None and not files.path(kind, iteration).is_file():
        there = ", ".join(map(str, files.numbers(kind))) or "none"
        raise UserError(f"{files.path(kind, iteration)}: no such checkpoint; there are: {there}")
    number = files.newest(kind) if iteration is None else int(iteration)
    if number is None:
        command = {"bg": f"./fixbn.py {quoted(params.name)}"}.get(kind, f"./train.py {quoted(params.name)}")
        raise UserError(f"{files.folder}: holds no iter_N.{kind}model.npz; make one with {command}")
    pretrained.tell(params, files)
    return files, number


def open_sampler(params: Parameters, iteration=None, quiet: bool = True, own: bool = False):
    """A system with the weights that `generate` needs.

    Args:
        iteration: of the checkpoint; by default the newest.
        quiet: print nothing (else the original's `Restoring G from ...` lines).
        own: as `find_checkpoint`.

    Returns:
        (system, iteration of its weights).

    Raises:
        UserError: no checkpoint, or one that does not fit the experiment.
    """
    first = registry.system_class(params.system).sampling[0]
    files, number = find_checkpoint(params, first, iteration, own)
    system = build(params, training=False)
    for kind in system.sampling:
        path = files.path(kind, number)
        if not quiet:
            print(f"Restoring {kind.upper()} from {path}", flush=True)
        system.load_original(kind, Archive(path))
        if not quiet:
            print("Done!", flush=True)
    return system, number


def open_interpolator(params: Parameters, iteration=None):
    """Like `open_sampler`, with population statistics where the system's generator has batch norm; prints
    what it loads."""
    system_class = registry.system_class(params.system)
    if not system_class.frozen:
        return open_sampler(params, iteration, quiet=False)
    files, number = find_checkpoint(params, system_class.frozen, iteration)
    system = build(params, training=False)
    path = files.path(system.frozen, number)
    print(f"Restoring G from {path}", flush=True)
    system.load_frozen(Archive(path))
    print("Done!", flush=True)
    return system, number


def check_memory(system, n: int) -> None:
    """Stops before more images are asked for than this machine has memory for.

    Raises:
        UserError: they do not fit.
    """
    need, free = system.generate_bytes(n), memory.available()
    if need > free:
        raise UserError(f"{n} images need about {need / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are "
                        "free; ask for fewer --rows and --cols")


def check_label(system, label: int | None) -> None:
    """Stops where the label is no class of the system.

    Raises:
        UserError: it is not.
    """
    if label is not None and not 0 <= label < system.classes:
        name, classes = system.params.name, system.classes
        raise UserError(f"--label={label}: {name} has {classes} classes"
                        + (f", 0 to {classes - 1}" if classes else "; leave --label out"))


def sample(system, n: int, seed: int = 0, label: int | None = None, labels=None) -> np.ndarray:
    """The first `n` samples of a seed.

    Args:
        system: as `open_sampler` gives it.
        label: class of all samples.
        labels: int [n], a class for each; by default class k for sample k modulo the number of classes.

    Returns:
        uint8 [n, H, W, C], by the original's rule from numbers to bytes.

    Raises:
        UserError: there is no such class, or there is not memory enough.
    """
    check_memory(system, n)
    check_label(system, label)
    chosen = system.labels(n, seed) if labels is None else labels
    if label is not None:
        chosen = chosen * 0 + label
    return system.to_uint8(system.generate(system.latents(n, seed), chosen))
