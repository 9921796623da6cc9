"""SNGAN with the projection discriminator as pfnet-research/sngan_projection trains it (`train.py`,
`updater.py`).

One iteration: a generator step, then n_dis discriminator steps, each with reals, latents and random labels of
    its own. Every
call of D advances its u: once in the G step, twice in each D step (reals, then fakes with the weights
    normalised anew).
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite import distributed, losses, penalties
from tfgan_suite.events import Event
from tfgan_suite.metrics.events import inception_check, inception_event
from tfgan_suite.pictures import bytes
from tfgan_suite.pictures.curves import draw_series
from tfgan_suite.random import generator
from tfgan_suite.schedules import linear
from tfgan_suite.sngan.common import ClassConditional
from tfgan_suite.sngan.projection import networks
from tfgan_suite.sngan.projection.networks import TABLES, Discriminator, Generator
from tfgan_suite.sngan.projection.parameters import class_range

CURVES = ("d_cost", "g_cost")
LOSS_NAMES = {"hinge": "hinge", "dcgan": "logistic"}  # loss_type -> name in `losses.LOSSES`

# distribution of latents -> bounds of the uniform one, None for N(0, 1)
LATENTS: dict[str, tuple | None] = {"normal": None, "uniform": (-1.0, 1.0)}


class SNGANProjection(ClassConditional):
    """Hinge GAN with class-conditional batch norm in G and the label projected onto D's features."""

    def __init__(self, params, training=True):
        super().__init__(params, training)
        p, table = params, TABLES[params.network]
        self.size, self.dim_z, self.critics = table.size, p.dim_z, p.n_dis
        self.dataset, self.folder = p.dataset, p.data_dir
        self.limits, self.crop = class_range(p.class_range), p.crop_ratio if p.augmentation else None
        self.classes = self.label_count = p.n_classes
        self.grid = (10, min(10, p.n_classes or 10))
        self.networks["g"] = Generator(table, p.gen_ch, p.dim_z,
                                       networks.generator_maker(p.seed, p.n_classes))
        if not training:
            return
        make = networks.discriminator_maker(p.seed, p.sn_stop_gradient)
        self.networks["d"] = Discriminator(table, p.dis_ch, p.n_classes, p.dim_emb if p.concat else 0, make)
        self.build_optimizers(p.alpha, p.beta1, p.beta2)
        self.loss = losses.LOSSES[LOSS_NAMES[p.loss_type]]

    @property
    def batch_size(self):
        return self.params.batchsize

    length = ("iteration",)

    @property
    def iterations(self):
        return self.params.iteration

    def save_due(self, done):
        return self.params.snapshot_interval > 0 and done % self.params.snapshot_interval == 0

    # -- one iteration ---------------------------------------------------------------------------------------
    def draws(self, draw, phase):
        p = self.params
        drawn = {"g/z": self._latents(draw, "g/z", p.n_gen_samples),
                 "g/y": draw.integers("g/y", (p.n_gen_samples,), max(p.n_classes, 1))}
        for j in range(p.n_dis):
            drawn[f"d{j}/z"] = self._latents(draw, f"d{j}/z", p.batchsize)
            drawn[f"d{j}/y"] = draw.integers(f"d{j}/y", (p.batchsize,), max(p.n_classes, 1))
            drawn[f"d{j}/noise"] = draw.uniform(f"d{j}/noise", (p.batchsize, self.size, self.size, 3), 0.0,
                                                1.0 / 128.0)
        return drawn

    def _latents(self, draw, name: str, n: int) -> tf.Tensor:
        bounds = LATENTS[self.params.distribution]
        shape = (n, self.dim_z)
        return draw.normal(name, shape) if bounds is None else draw.uniform(name, shape, *bounds)

    def update(self, step, batch, draws, phase):
        p = self.params
        rate = p.alpha * linear(step, p.iteration_decay_start, p.iteration)
        scalars = self.generator_step(draws["g/z"], draws["g/y"], rate)
        critic_step = distributed.traced_once(self.critic_step)
        for j in range(self.critics):
            real = self.dequantise(batch["images"][:, j], draws[f"d{j}/noise"])
            costs = critic_step(real, batch["labels"][:, j], draws[f"d{j}/z"], draws[f"d{j}/y"], rate, step)
        return {**scalars, **costs, "lr": rate}

    def generator_step(self, z: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> dict[str, tf.Tensor]:
        """One Adam step of G on fakes of random labels.

        Args:
            z, labels: [n_gen_samples, dim_z] and int [n_gen_samples].

        Returns:
            The cost before the step.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.networks["g"].trainable_variables)
            fake = self.networks["g"](z, labels, training=True)
            cost = self.loss.generator(self.networks["d"](fake, labels, training=True))
        self.descend_at(rate, "g", tape, cost)
        return {"g_cost": cost}

    def critic_step(self, real: tf.Tensor, labels: tf.Tensor, z: tf.Tensor, fake_labels: tf.Tensor,
                    rate: tf.Tensor,
                    step: tf.Tensor) -> dict[str, tf.Tensor]:
        """One Adam step of D.

        Args:
            real, labels: float32 [batchsize, size, size, 3] and int [batchsize].
            z, fake_labels: [batchsize, dim_z] and int [batchsize].
            step: the iteration, for the schedule of the Jensen-Shannon regulariser.

        Returns:
            The cost before the step.
        """
        fake = tf.stop_gradient(self.networks["g"](z, fake_labels, training=True))
        d = self.networks["d"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(d.trainable_variables)
            cost = self.loss.discriminator(d(real, labels, training=True),
                                           d(fake, fake_labels, training=True))
            look = penalties.Look(real, fake, lambda x: d(x, labels), lambda x: d(x, fake_labels))
            extra, more = penalties.of_params(self.params, look, step, self.iterations)
            total = cost + extra
        self.descend_at(rate, "d", tape, total)
        return {"d_cost": cost, **more}

    def console(self, step, scalars):
        if (step + 1) % self.params.log_every:
            return []
        return [f"iteration {step + 1} "
                + " ".join(f"{name}: {float(value):.6f}" for name, value in scalars.items())]

    def events(self):
        p = self.params
        score = inception_event(self, p.evaluation_interval, p.evaluation_samples, splits=1,
                                to_uint8=self.to_uint8)
        curves = Event("curves", p.snapshot_interval, lambda done,
                       host: draw_series(host.log_dir, (*CURVES, score.name, f"{score.name}_std")))
        latest = -(-p.evaluation_interval // 10)  # a tenth, and 0 of 0
        others = (
            inception_check(p.evaluation_interval),
            self.sheets(p.evaluation_interval),
            self.latest_sheet(latest),
        )
        return self.monitors(p.SINGULAR_FREQUENCY, *others, score, curves)

    # -- pictures --------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        bounds = LATENTS[self.params.distribution]
        if bounds is None:
            return super().latents(n, seed)
        return generator(seed, "latents").uniform(*bounds, (n, self.dim_z)).astype("float32")

    def to_uint8(self, x):
        return bytes.chainer(x)


SYSTEMS = {"sngan_projection": SNGANProjection}
