"""Speed of SNGAN: `tools/bench.py sngan`. CIFAR-10 networks of a quarter of the width, batch 32, random
images."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks import timing
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
        chosen = {**{name: p.default for name, p in known.items()}, **values, "system": kind,
                  "precision": precision}
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
            scalars = critic_step(real, batch["labels"][:, j], draws[f"d{j}/z"], draws[f"d{j}/alpha"], rate,
                                  step)
        return scalars

    return iteration


CASES = (  # case, slower way, faster way
    ("separate calls against one function", "separate", "fused"),
    ("float32 against bfloat16", "fused", "bfloat16"),
    ("fakes in two passes against one", "apart", "fused"),
)


def _way(name: str):
    """What is measured under this name: a function that does one iteration."""
    system, batch = _system("sngan", "bfloat16" if name == "bfloat16" else "float32", _SIZE)
    system.apart = name == "apart"
    return _separate(system, batch) if name == "separate" else _fused(system, batch)


def run(options: dict) -> list[dict]:
    """Rows of the table: case, milliseconds an iteration (5 D steps and 1 G step) both ways, and their ratio.

    Args:
        options: 'rounds' and 'case' of `tools/bench.py`.
    """
    cases = [case for case in CASES if options["case"] in case[0]]
    ways = {name: _way(name) for name in dict.fromkeys(name for case in cases for name in case[1:])}
    times = timing.compare(ways, options["rounds"]) if ways else {}
    return [{"case": case, "first (ms)": 1000 * times[slow], "second (ms)": 1000 * times[fast],
             "ratio": times[slow] / times[fast]} for case, slow, fast in cases]
