"""One PGGAN iteration at each resolution: float32 against bfloat16, one traced function against one call per
step."""
from __future__ import annotations

import time

import numpy as np
import tensorflow as tf

from benchmarks import timing
from tfgan_suite import experiment
from tfgan_suite.pggan.system import PGGAN, CriticInputs
from tfgan_suite.random import Draws
from tfgan_suite.training import runs

RESOLUTIONS = (4, 8, 16, 32, 64)


def _system(resolution: int, precision: str) -> PGGAN:
    """The original's networks at a resolution, with its batch."""
    params = experiment.load("pggan_faces64", {"obj": "1", "precision": precision, "endRes": str(resolution),
                                               "startRes": str(resolution)})
    runs.set_precision(params)
    return PGGAN(params)


class _Iteration:
    """One iteration on random images, as one traced function or as a call for each part, as an eager
    framework does."""

    def __init__(self, system: PGGAN, fused: bool):
        self.system, self.phase, spec = system, system.phase(0), system.batch_spec()["reals"]
        reals = np.random.default_rng(0).uniform(-1, 1, spec.shape).astype(np.float32)
        self.batch, self.step = {"reals": tf.constant(reals)}, tf.constant(0, tf.int64)
        began = time.perf_counter()
        if fused:
            function = tf.function(lambda step, batch: system.iteration(step, batch, self.phase),
                                   autograph=False)
            self.call = lambda: function(self.step, self.batch)
        else:
            self._separate()
        self.call()
        self.first = time.perf_counter() - began

    def _separate(self) -> None:
        system, phase = self.system, self.phase
        draw = tf.function(lambda step: system.draws(Draws(system.params.seed, step), phase))
        critic = tf.function(lambda step, *inputs: system._critic_step(step, CriticInputs(*inputs), phase,
                                                                       None)[0])
        generator = tf.function(lambda z: system._generator_step(z, None, phase, None)[0])

        def call():
            draws = draw(self.step)
            system._set_rates(phase.level)
            losses = critic(self.step, self.batch["reals"][:, 0], draws["z/0"], draws["weight/0"])
            return {"critic": losses, "generator": generator(draws["z/g"])}

        self.call = call


def run(options: dict) -> list[dict]:
    """Rows: resolution, batch, milliseconds of the fused iteration, ratios to it, seconds to trace, peak
    memory so far."""
    rows = []
    for resolution in RESOLUTIONS:
        name = f"{resolution}x{resolution}"
        if options["case"] not in name:
            continue
        plain = _system(resolution, "float32")
        fused, separate = _Iteration(plain, True), _Iteration(plain, False)
        half = _Iteration(_system(resolution, "bfloat16"), True)
        tf.keras.mixed_precision.set_global_policy("float32")
        ways = {"fused": fused.call, "separate": separate.call, "bfloat16": half.call}
        seconds = timing.compare(ways, options["rounds"])
        rows.append({"case": name, "batch": plain.schedule.at(0).batch, "ms": 1000 * seconds["fused"],
                     "separate / fused": seconds["separate"] / seconds["fused"],
                     "bfloat16 / float32": seconds["bfloat16"] / seconds["fused"], "trace s": fused.first,
                     "peak MB": timing.peak_memory() / 2**20})
    return rows
