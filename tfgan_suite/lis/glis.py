"""G-LIS: a GAN whose generator first moves its noise, with a similarity loss that keeps the noise near."""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.lis import losses, networks
from tfgan_suite.lis.base import LisSystem, dropout_mask
from tfgan_suite.lis.record import ABSENT


class GLis(LisSystem):
    """D and G-LIS, one update of each in an iteration (`g_lis/main.py`)."""

    plot_interval = 2500  # hard-coded in the original
    recorded = ("d-real", "d-fake0", "g0")

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["g"] = networks.GeneratorLIS(self.size, params.nfeature, params.code_size, self.make,
                                                   params.r_iterations, params.g_upscaling)
        if training:
            self.networks["d"] = self.new_discriminator()
            self.prepare_training(("g", "d"))

    def losses(self):
        """d-real, d-fake{k} and g{k} by the number k of executed modules, r{i} of each module."""
        n = self.params.r_iterations
        return ("d-real", *(f"d-fake{k}" for k in range(n + 1)), *(f"g{k}" for k in range(n + 1)),
                *(f"r{i}" for i in range(n)))

    def draws(self, draw, phase):
        """Two batches of noise, how many modules run in each, D's dropout masks of its three passes."""
        p, n = self.params, self.params.batch_size
        found = {name: draw.normal(name, (n, p.code_size)) for name in ("noise_d", "noise_g")}
        chances = networks.stop_chances(p.r_iterations, True, "all" if p.always_train_all else None)
        for name in ("executed_d", "executed_g"):
            found[name] = networks.count_executed(draw.shared(name, (p.r_iterations,)), chances)
        if p.d_dropout > 0:
            shape = (n, *self.networks["d"].top)
            found.update({m: dropout_mask(draw, m, shape, p.d_dropout) for m in ("mask_real", "mask_fake", "mask_g")})
        return found

    def update(self, step, batch, draws, phase):
        """One step of D, then one of G (section 7.2 of the spec)."""
        d_real, d_fake, regularizer = self._discriminator_step(step, batch["images"], draws)
        g, r = self._generator_step(draws)
        values = {"d-real": d_real}
        for k in range(self.params.r_iterations + 1):
            values[f"d-fake{k}"] = tf.where(draws["executed_d"] == k, d_fake, ABSENT)
            values[f"g{k}"] = tf.where(draws["executed_g"] == k, g, ABSENT)
        for i in range(self.params.r_iterations):
            present = (draws["executed_g"] > i) & (self.params.lambda_r > 0)
            values[f"r{i}"] = tf.where(present, r[i], ABSENT)
        self.record.put(step, values)
        return {**{name: values[name] for name in self.losses()}, **regularizer}

    def _discriminator_step(self, step, real, draws):
        fake, _ = self.networks["g"](draws["noise_d"], training=True, executed=draws["executed_d"])
        masks = draws.get("mask_real"), draws.get("mask_fake")
        with tf.GradientTape() as tape:
            loss_real, loss_fake, loss, scalars = self.d_loss(step, real, tf.stop_gradient(fake), masks)
        self.learn("d", tape, loss)
        return loss_real, loss_fake, scalars

    def _generator_step(self, draws):
        g, d, noise = self.networks["g"], self.networks["d"], draws["noise_g"]
        with tf.GradientTape() as tape:
            fake, vectors = g(noise, training=True, executed=draws["executed_g"])
            loss_g = losses.adversarial(d(fake, training=True, dropout=draws.get("mask_g")), True, self.params.ls)
            moved = losses.similarity(vectors, noise, self.params.lambda_r)
            ran = tf.cast(tf.range(len(vectors)) < draws["executed_g"], tf.float32)
            loss = loss_g + tf.reduce_sum(moved * ran)
        self.learn("g", tape, loss)
        return loss_g, moved

    def console(self, step, scalars):
        """The original's line (counted from 1); -1 where a count did not occur."""
        values = " ".join(f"{name}: {float(scalars[name]):.4f}" for name in self.losses())
        return [f"{step + 1} | {values}"]

    def lines(self, values):
        """Points of the groups loss-d-mix, loss-g-mix and loss-r-mix."""
        found = {}
        for name, value in values.items():
            if value != ABSENT:
                group = {"d": "loss-d-mix", "g": "loss-g-mix", "r": "loss-r-mix"}[name[0]]
                found[f"{group}/train-{name}"] = min(max(value, 0.0), 1.0) if name[0] == "r" else value
        return found

    def stages(self, codes):
        """After 0, 1, ... all LIS modules."""
        g = self.networks["g"]
        return [g(codes, executed=k)[0] for k in range(self.params.r_iterations + 1)]

    def vectors(self, codes) -> list:
        """The codes themselves and those after each module, each [n, code]."""
        return [codes, *self.networks["g"].move(codes)]

    def decode(self, codes):
        """All modules."""
        return self.networks["g"](codes)[0]
