"""One G-LIS iteration at 80x80, batch 32, as one graph, against a call per part as in the original's
program."""
from __future__ import annotations

import multiprocessing
import tempfile

import numpy as np
import tensorflow as tf

from benchmarks import timing
from tfgan_suite import experiment
from tfgan_suite.lis import losses
from tfgan_suite.lis.system import GLis
from tfgan_suite.random import Draws

FUSED, PARTS = "one graph", "a call per part"
EXPERIMENT = "glis_celeba80"


class Parts:
    """The same iteration, part by part: G for D, D on real images, D on generated ones, D's step, G's
    losses, G's step.

    Between the calls gradients and images lie in memory.
    """

    def __init__(self, system: GLis):
        self.system = system
        self.g, self.d = system.networks["g"], system.networks["d"]
        self.draw = tf.function(lambda step: system.draws(Draws(system.params.seed, step), None))
        self.forward = tf.function(lambda z, n: self.g(z, training=True, executed=n))
        self.judge = tf.function(self._judge)
        self.learn = {name: tf.function(self._step(name)) for name in ("g", "d")}
        self.generator = tf.function(self._generator)

    def _judge(self, images, real: bool):
        with tf.GradientTape() as tape:
            loss = self.system.adversarial(self.d(images, training=True), real)
        return loss, tape.gradient(loss, self.d.trainable_variables)

    def _generator(self, z, executed):
        with tf.GradientTape() as tape:
            fake, vectors = self.g.images_and_vectors(z, training=True, executed=executed)
            loss = self.system.adversarial(self.d(fake, training=True), True)
            ran = tf.cast(tf.range(len(vectors)) < executed, tf.float32)
            loss += tf.reduce_sum(losses.similarity(vectors, z, self.system.params.lambda_r) * ran)
        return loss, tape.gradient(loss, self.g.trainable_variables)

    def _step(self, name):
        optimizer, variables = self.system.optimizers[name], self.system.networks[name].trainable_variables
        return lambda gradients: optimizer.apply_gradients(zip(gradients, variables))

    def __call__(self, step, images):
        draws = self.draw(step)
        fake = self.forward(draws["noise_d"], draws["executed_d"])
        real_loss, first = self.judge(images, True)
        fake_loss, second = self.judge(fake, False)
        self.learn["d"]([a + b for a, b in zip(first, second)])
        loss, gradients = self.generator(draws["noise_g"], draws["executed_g"])
        self.learn["g"](gradients)
        return {"d-real": real_loss, "d-fake": fake_loss, "g": loss}


def ways(folder: str, overrides: dict) -> dict:
    """Name -> a function that does one iteration, on noise images."""
    params = experiment.load(EXPERIMENT, {"wts_dir": folder, **overrides})
    shape = (params.batch_size, params.image_size, params.image_size, 3)
    images = tf.constant(np.random.default_rng(0).random(shape, np.float32))
    fused, parts = GLis(params), Parts(GLis(params))
    whole = tf.function(fused.iteration)
    step = tf.constant(0, tf.int64)
    return {FUSED: lambda: whole(step, {"images": images}), PARTS: lambda: parts(step, images)}


def _peak(name: str, overrides: dict, queue) -> None:
    with tempfile.TemporaryDirectory() as folder:
        way = ways(folder, overrides)[name]
        start = timing.peak_memory()
        for _ in range(2):
            timing.compare({name: way}, rounds=1, warm_up=0)
        queue.put(timing.peak_memory() - start)


def peak(name: str, overrides: dict) -> float:
    """MiB by which two iterations of one way raise the memory of a process of their own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_peak, args=(name, overrides, queue))
    process.start()
    value = queue.get()
    process.join()
    return value / 2 ** 20


def run(options) -> list[dict]:
    """Median seconds of both ways in turns, their ratio, and peak memory.

    Args:
        options: `rounds`, and `case` as part of a way's name.
    """
    overrides: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        found = {n: way for n, way in ways(folder, overrides).items() if options["case"] in n}
        if not found:
            return []
        seconds = timing.compare(found, options["rounds"], warm_up=1)
    base = seconds.get(PARTS, max(seconds.values()))
    return [{"G-LIS 80x80, batch 32": name, "ms": 1000 * value, "speed-up": base / value,
             "peak MiB": peak(name, overrides)}
            for name, value in seconds.items()]
