"""Speed of SNGAN: `tools/bench.py sngan`. CIFAR-10 networks of a quarter of the width, batch 32, random images."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import benchmark
from tfgan_suite.experiment import Parameters, declared
from tfgan_suite.random import Draws, generator
from tfgan_suite.registry import system_class

_SIZE = {"DIM_G": 32, "DIM_D": 32, "BATCH_SIZE": 32, "DATASET": "digits", "NETWORK": "cifar"}


def _system(kind: str, precision: str, values: dict):
    """A system and a batch for it, built under the policy of `precision`."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else precision)
    try:
        known = declared(kind)
        chosen = {**{name: p.default for name, p in known.items()}, **values, "system": kind, "precision": precision}
        system = system_class(kind)(Parameters("bench", chosen, {}, known))
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    shape = (system.batch_size, system.critics)
    draw = generator(0, "bench")
    images = draw.integers(0, 256, (*shape, system.size, system.size, 3), np.uint8)
    labels = draw.integers(0, 10, shape).astype(np.int32)
    return system, {"images": tf.constant(images), "labels": tf.constant(labels)}


def _fused(system, batch):
    """One iteration as one traced function."""
    iteration = tf.function(lambda step, batch: system.iteration(step, batch, system.phase(1)))
    step = tf.constant(1, tf.int64)
    return lambda: iteration(step, batch)


def _separate(system, batch):
    """The same iteration with one call of a traced function for the G step and one for each D step."""
    generator_step, critic_step = tf.function(system.generator_step), tf.function(system.critic_step)
    drawn = tf.function(lambda step: system.draws(Draws(system.params.seed, step), system.phase(1)))
    step = tf.constant(1, tf.int64)

    def iteration():
        rate, draws = system.rate(step), drawn(step)
        generator_step(draws["g/z"], draws["g/labels"], rate)
        for j in range(system.critics):
            real = system.dequantise(batch["images"][:, j], draws[f"d{j}/noise"])
            scalars = critic_step(real, batch["labels"][:, j], draws[f"d{j}/z"], draws[f"d{j}/alpha"], rate, step)
        return scalars

    return iteration


def _cases() -> dict:
    """Case -> (slower way, faster way), each a function that builds what is measured."""
    def sngan(build, precision="float32", apart=False):
        def make():
            system, batch = _system("sngan", precision, _SIZE)
            system.apart = apart
            return build(system, batch)
        return make

    return {
        "separate calls against one function": (sngan(_separate), sngan(_fused)),
        "float32 against bfloat16": (sngan(_fused), sngan(_fused, "bfloat16")),
        "fakes in two passes against one": (sngan(_fused, apart=True), sngan(_fused)),
    }


def run(options: dict) -> list[dict]:
    """Rows of the table: case, milliseconds an iteration (5 D steps and 1 G step) both ways, and their ratio.

    Args:
        options: 'rounds' and 'case' of `tools/bench.py`.
    """
    rows = []
    for name, (slow, fast) in _cases().items():
        if options["case"] not in name:
            continue
        times = benchmark.compare({"slow": slow(), "fast": fast()}, options["rounds"])
        rows.append({"case": name, "first (ms)": 1000 * times["slow"], "second (ms)": 1000 * times["fast"],
                     "ratio": times["slow"] / times["fast"]})
    return rows
