"""One RP-GAN iteration with stacked discriminators against the plain form: one discriminator at a time, as in
the original."""
from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks import timing
from tfgan_suite import experiment, optimizers
from tfgan_suite.layers.projections import Filters
from tfgan_suite.rpgan.bank import Discriminators
from tfgan_suite.rpgan.system import BETA_1, BETA_2, EPSILON, RATE, RPGAN
from tfgan_suite.training.trainer import Trainer


def _padded(x, kernel, stride, pad):
    """The original's convolution: explicit zeros, then VALID."""
    return tf.nn.conv2d(tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]) if pad else x, kernel, stride,
                        "VALID")


class Plain:
    """The original's iteration: every discriminator is copied into the one working network, G's forward pass
    is computed again for its gradient, D passes over reals and fakes one after the other, and every
    discriminator has an optimiser of its own."""

    def __init__(self, system: RPGAN):
        p = system.params
        self.g, stacked = system.networks["g"], system.networks["d"].stacks[0]
        self.projection = stacked.filters
        one = Filters(self.projection.values[:1], self.projection.stride)
        self.d = Discriminators(p.imsz, p.df, [one], chunk=1).stacks[0]
        self.filter = tf.Variable(one.values, trainable=False)
        self.store = [[tf.Variable(v[i:i + 1]) for v in stacked.trainable_variables]
                      for i in range(stacked.count)]
        self.g_optimizer = optimizers.adam(RATE, BETA_1, BETA_2, EPSILON)
        self.g_optimizer.build(self.g.trainable_variables)
        self.d_optimizers = []
        for weights in self.store:
            self.d_optimizers.append(optimizers.adam(RATE, BETA_1, BETA_2, EPSILON))
            self.d_optimizers[-1].build(weights)
        self._forward, self._g_gradient = tf.function(self._forward), tf.function(self._g_gradient)
        self._g_apply = tf.function(self._g_apply)
        self.d_steps = [tf.function(self._d_step(i)) for i in range(stacked.count)]
        shape = (p.bsz, p.imsz, p.imsz, 3)
        self.fake, self.gradient = tf.Variable(tf.zeros(shape)), tf.Variable(tf.zeros(shape))

    def _load(self, i: int) -> None:
        for working, weights in zip(self.d.trainable_variables, self.store[i]):
            working.assign(weights)

    def _forward(self, z):
        self.fake.assign(self.g(z))
        self.gradient.assign(tf.zeros_like(self.gradient))

    def _project(self, images, kernel):
        return _padded(images, kernel, self.projection.stride, self.projection.padding[0])

    def _logits(self, h):
        for kernel, bias in zip(self.d.kernels[:-1], self.d.biases[:-1]):
            h = tf.nn.leaky_relu(_padded(h, kernel[0], 2, 1) + bias[0], 0.2)
        return _padded(h, self.d.kernels[-1][0], 1, 0) + self.d.biases[-1][0]

    def _g_gradient(self, kernel):
        fake = tf.identity(self.fake)
        with tf.GradientTape() as tape:
            tape.watch(fake)
            logits = self._logits(self._project(fake, kernel))
            loss = tf.reduce_mean(tf.nn.softplus(-logits)) / len(self.store)
        self.gradient.assign_add(tape.gradient(loss, fake))
        return loss

    def _g_apply(self, z):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.gradient * self.g(z))
        variables = self.g.trainable_variables
        optimizers.apply(self.g_optimizer, tape.gradient(loss, variables), variables)

    def _d_step(self, i: int):
        def step(real, kernel):
            self._load(i)
            with tf.GradientTape() as tape:
                on_real, on_fake = (self._logits(self._project(x, kernel)) for x in (real, self.fake))
                loss = (tf.reduce_mean(tf.nn.softplus(-on_real))
                        + tf.reduce_mean(tf.nn.softplus(on_fake))) / 2
            gradients = tape.gradient(loss, self.d.trainable_variables)
            optimizers.apply(self.d_optimizers[i], gradients, self.store[i])
            return loss
        return step

    def __call__(self, real, z_g, z_d):
        """One iteration."""
        self._forward(z_g)
        kernels = [tf.constant(f) for f in self.projection.values]
        for i, kernel in enumerate(kernels):
            self._load(i)
            self._g_gradient(kernel)
        self._g_apply(z_g)
        self._forward(z_d)
        return [step(real, kernel) for step, kernel in zip(self.d_steps, kernels)]


def _cases():
    """(name, parameters): the sizes of docs/performance.md."""
    big = {"f1": 256, "df": 32, "imsz": 64, "bsz": 64, "zlen": 100, "filts": "8,2,1,{}"}
    for k in (1, 12, 48):
        yield f"64x64 f1=256 df=32 K={k}", {**big, "filts": big["filts"].format(k)}
    digits = experiment.load("digits")
    yield "exp/digits.py", {n: digits.values[n]
                            for n in ("ksz", "f1", "df", "imsz", "bsz", "zlen", "filts", "chunk")}


def _inputs(params):
    generator = np.random.default_rng(0)
    real = generator.uniform(-1, 1, (params.bsz, params.imsz, params.imsz, 3)).astype(np.float32)
    z = generator.uniform(-1, 1, (2, params.bsz, params.zlen)).astype(np.float32)
    return tf.constant(real), tf.constant(z[0]), tf.constant(z[1])


def _system(changes: dict) -> RPGAN:
    values = {n: p.default for n, p in experiment.declared("rpgan").items()}
    with tempfile.TemporaryDirectory() as folder:
        place = {"wts_dir": str(Path(folder) / "m")}
        return RPGAN(experiment.Parameters("bench", {**values, **changes, **place}))


def _step(system: RPGAN, real, z_g, z_d):
    @tf.function
    def step():
        return system.update(tf.constant(0, tf.int64), {"real": real}, {"z_g": z_g, "z_d": z_d}, None)
    return step


def _measure(name: str, changes: dict, rounds: int) -> dict:
    system, loaded = _system(changes), _system(changes)
    for kind, network in loaded.networks.items():  # as resuming does
        network.assign(dict(system.networks[kind].arrays()))
    inputs = _inputs(system.params)
    plain = Plain(system)
    ways = {"stacked": _step(system, *inputs), "loaded": _step(loaded, *inputs),
            "plain": lambda: plain(*inputs)}
    seconds = timing.compare(ways, rounds)
    return {"case": name, "chunk": system.networks["d"].stacks[0].chunk,
            "stacked ms": seconds["stacked"] * 1e3,
            "loaded / stacked": seconds["loaded"] / seconds["stacked"],
            "plain ms": seconds["plain"] * 1e3, "plain / stacked": seconds["plain"] / seconds["stacked"],
            "outside %": "",
            "peak MiB": timing.peak_memory() / 2**20}


class _Timed(Trainer):
    """A trainer that notes when its steps begin and end."""

    times: list

    def function(self, phase, step=0):
        """The traced iteration, timed."""
        inner = super().function(phase, step)

        def timed(*arguments):
            began = time.perf_counter()
            scalars = inner(*arguments)
            timing.finish(scalars)
            self.times.append((began, time.perf_counter()))
            return scalars
        return timed


def _outside(name: str, iterations: int = 400, skipped: int = 50) -> dict:
    """The share of a real run's wall time that is not the step: input, console, logs."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as silent:
        places = {"wts_dir": f"{folder}/m", "log_dir": f"{folder}/l", "lfile": f"{folder}/digits/list.txt"}
        params = experiment.load("digits", {**places, "MAXITER": str(iterations), "SAVEFREQ": "0"})
        trainer = _Timed(params, silent)
        trainer.times = []
        trainer.run()
    inside = sum(end - began for began, end in trainer.times[skipped:])
    wall = trainer.times[-1][1] - trainer.times[skipped][0]
    chunk = trainer.system.networks["d"].stacks[0].chunk
    return {"case": name, "chunk": chunk, "stacked ms": 1e3 * inside / (iterations - skipped),
            "loaded / stacked": "", "plain ms": "", "plain / stacked": "",
            "outside %": 100 * (wall - inside) / wall,
            "peak MiB": timing.peak_memory() / 2**20}


def run(options) -> list[dict]:
    """Rows of the table: median milliseconds of both forms and their ratio, how much longer a step takes
    after a load, and the peak memory of the process so far; for a real run of the digits experiment, the
    share of wall time outside the step."""
    rows = [_measure(name, changes, options["rounds"]) for name, changes in _cases()
            if options["case"] in name]
    whole = "exp/digits.py, train.py"
    return [*rows, _outside(whole)] if options["case"] in whole else rows
