"""SNGAN as watsonyanghx/GAN_Lib_Tensorflow trains it (`SNGAN/gan_cifar_resnet.py` and
`gan_imagNet_resnet.py`).

One iteration: a generator step (not in the first one), then N_CRITIC discriminator steps. The fakes of every
    step are made in
two halves with batch statistics of their own, as on the original's two GPUs; row i belongs to half i % 2.
"""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed, losses, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.events import Event
from tfgan_suite.files.archive import load_array
from tfgan_suite.metrics.events import inception_check, inception_event
from tfgan_suite.pictures import bytes
from tfgan_suite.pictures.curves import draw_series
from tfgan_suite.pictures.sheets import grid
from tfgan_suite.random import generator
from tfgan_suite.schedules import SCHEDULES
from tfgan_suite.sngan import monitors
from tfgan_suite.sngan.common import ClassConditional
from tfgan_suite.sngan.gan_lib import networks
from tfgan_suite.sngan.gan_lib.networks import TABLES, Discriminator, Generator, Labels

TOWERS = 2
SHEETS = 100  # iterations between two sheets
CURVES = ("d_cost", "g_cost", "dev_cost", "acgan", "acc_real", "acc_fake")
LOSS_NAMES = {  # (LOSS_TYPE, SOFT_PLUS) -> name in `losses.LOSSES`
    ("HINGE", False): "hinge", ("HINGE", True): "soft_hinge", ("WGAN", False): "wasserstein",
    ("WGAN", True): "logistic",
    ("WGAN-GP", False): "wasserstein", ("WGAN-GP", True): "logistic", ("Goodfellow", False): "logistic",
    ("Goodfellow", True): "soft_logistic"}
# The classes of which the original's ImageNet script draws its sheets.
SHEET_CLASSES = (3, 547, 671, 833, 147, 218, 283, 292, 493, 555, 668, 698, 780, 985, 977, 963)


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean of -log softmax(logits)[label]."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Share of logits [n, classes] that are largest at the label."""
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1, tf.int32), labels), tf.float32))


def word_table(path: str | None, classes: int, dim: int) -> np.ndarray | None:
    """The fixed label embedding of WORD2VEC_FILE, or None.

    Raises:
        UserError: unreadable, or of another shape.
    """
    if path is None:
        return None
    table = load_array(path, "give another WORD2VEC_FILE")
    if table.shape != (classes, dim):
        raise UserError(f"WORD2VEC_FILE={path}: has shape {table.shape}, VOCAB_SIZE and EMBEDDING_DIM ask "
                        f"for {(classes, dim)}")
    return table.astype(np.float32)


class SNGAN(ClassConditional):
    """Hinge (or other) GAN with a spectrally normalised discriminator and class-conditional batch norm.

    Attributes:
        apart: make the two halves of the fakes in two passes: the slower, plain twin of the one pass with
            grouped statistics.
    """

    apart = False

    def __init__(self, params, training=True, table=None):
        """`table`: the fixed label embedding as an array, in place of WORD2VEC_FILE."""
        super().__init__(params, training)
        p, widths = params, TABLES[params.NETWORK]
        self.size, self.dim_z, self.critics = widths.size, p.DIM_Z, p.N_CRITIC
        self.dataset, self.folder = p.DATASET, p.DATA_DIR
        self.label_in_d = p.CONDITIONAL if p.LABEL_IN_D is None else p.LABEL_IN_D
        self.acgan = p.CONDITIONAL and p.ACGAN
        self.classes = p.VOCAB_SIZE if p.CONDITIONAL or p.CONCAT_LABEL else 0
        self.label_count = p.VOCAB_SIZE if self.classes or self.label_in_d else 0
        self.grid = (5, 5) if self.classes == 1000 else (10, min(10, self.classes or 10))
        table = word_table(p.WORD2VEC_FILE, p.VOCAB_SIZE, p.EMBEDDING_DIM) if table is None else table
        self._build(widths, lambda concat: Labels(p.VOCAB_SIZE, p.EMBEDDING_DIM, p.DIM_D, concat, table))

    def _build(self, widths, labels) -> None:
        p = self.params
        rule = None if not p.NORMALIZATION_G else networks.CONDITIONAL if p.CONDITIONAL else networks.PLAIN
        make = networks.generator_maker(p.seed, rule, p.VOCAB_SIZE)
        self.networks["g"] = Generator(widths, p.DIM_G, p.DIM_Z, labels(p.CONCAT_LABEL), make)
        if not self.training:
            return
        make = networks.discriminator_maker(p.seed, p.NORMALIZATION_D, p.SN_STOP_GRADIENT, p.SN_ITERATIONS)
        self.networks["d"] = Discriminator(widths, p.DIM_D, labels(self.label_in_d), make, self.acgan)
        self.build_optimizers(p.LR, p.BETA1, p.BETA2)
        self.loss = losses.LOSSES[LOSS_NAMES[p.LOSS_TYPE, p.SOFT_PLUS]]
        self.costs = monitors.Costs()

    # -- size of a run ---------------------------------------------------------------------------------------
    @property
    def batch_size(self):
        return self.params.BATCH_SIZE

    length = ("ITERS",)
    heaviest = 1  # the first with a generator step

    @property
    def iterations(self):
        return self.params.ITERS

    def save_due(self, done):
        return self.params.SAVEFREQ > 0 and done % self.params.SAVEFREQ == 0

    def keep(self, number):
        return self.params.KEEP_EVERY > 0 and number % self.params.KEEP_EVERY == 0

    def phase(self, step):
        return "critics only" if step == 0 else "both"

    # -- one iteration ---------------------------------------------------------------------------------------
    def rate(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate of iteration `step`, float32."""
        p = self.params
        schedule = SCHEDULES[p.DECAY_RULE if p.DECAY else "constant"]
        return p.LR * schedule(step, p.DECAY_START, p.ITERS)

    def draws(self, draw, phase):
        p, b = self.params, self.params.BATCH_SIZE
        drawn = {}
        if phase == "both":
            n = p.GEN_BS_MULTIPLE * b
            drawn["g/z"] = draw.normal("g/z", (n, p.DIM_Z))
            drawn["g/labels"] = draw.integers("g/labels", (n,), p.VOCAB_SIZE)
        for j in range(p.N_CRITIC):
            drawn[f"d{j}/z"] = draw.normal(f"d{j}/z", (b, p.DIM_Z))
            drawn[f"d{j}/noise"] = draw.uniform(f"d{j}/noise", (b, self.size, self.size, 3), 0.0, 1.0 / 128.0)
            drawn[f"d{j}/alpha"] = draw.uniform(f"d{j}/alpha", (b,))
        return drawn

    def update(self, step, batch, draws, phase):
        rate, scalars = self.rate(step), {}
        if phase == "both":
            scalars.update(self.generator_step(draws["g/z"], draws["g/labels"], rate))
        critic_step = distributed.traced_once(self.critic_step)
        for j in range(self.critics):
            real = self.dequantise(batch["images"][:, j], draws[f"d{j}/noise"])
            costs = critic_step(real, batch["labels"][:, j], draws[f"d{j}/z"], draws[f"d{j}/alpha"], rate,
                                step)
        return {**scalars, **costs, "lr": rate}

    def fakes(self, z: tf.Tensor, labels: tf.Tensor, update: bool = True) -> tf.Tensor:
        """G's images in two halves with batch statistics of their own; in one pass, or, if `self.apart`, in
        one pass each. `update` moves the averages."""
        g = self.networks["g"]
        if not self.apart:
            return g(z, labels, training=True, update=update, groups=TOWERS)
        halves = [g(z[t::TOWERS], labels[t::TOWERS], training=True, update=update)
                  for t in reversed(range(TOWERS))]
        mixed = tf.stack(halves[::-1], 1)
        return tf.reshape(mixed, [z.shape[0], *mixed.shape[2:]])

    def verdict(self, images: tf.Tensor, labels: tf.Tensor, training: bool = False):
        """(D's logits, class logits or None); `training` advances u."""
        found = self.networks["d"](images, labels, training=training)
        return found if self.acgan else (found, None)

    def generator_step(self, z: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> dict[str, tf.Tensor]:
        """G against D, whose u stays: one Adam step.

        Args:
            z, labels: [GEN_BS_MULTIPLE * BATCH_SIZE, DIM_Z] and int [same].

        Returns:
            Costs before the step.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.networks["g"].trainable_variables)
            cost, costs = self.generator_cost(z, labels)
        self.descend_at(rate, "g", tape, cost)
        return costs

    def generator_cost(self, z: tf.Tensor, labels: tf.Tensor):
        """(what G minimises, costs by name)."""
        fake = self.fakes(z, labels)
        logits, classes = self.verdict(fake, labels)
        if not self.acgan:
            cost = self.loss.generator(logits)
            return cost, {"g_cost": cost}
        class_cost = cross_entropy(classes, labels)
        # The original's G takes this adversarial term under ACGAN, whatever LOSS_TYPE says.
        cost = losses.saturating_g(logits) + self.params.ACGAN_SCALE_G * class_cost
        return cost, {"g_cost": cost, "g_acgan": class_cost}

    def critic_step(self, real: tf.Tensor, labels: tf.Tensor, z: tf.Tensor, alpha: tf.Tensor, rate: tf.Tensor,
                    step: tf.Tensor) -> dict[str, tf.Tensor]:
        """D on one batch of reals and as many fakes with their labels: u advances once, then one Adam step.

        Args:
            real: float32 [BATCH_SIZE, size, size, 3].
            alpha: [BATCH_SIZE] in [0, 1), where WGAN-GP looks between real and fake.
            step: the iteration, for the schedule of the Jensen-Shannon regulariser.

        Returns:
            Costs before the step.
        """
        fake = tf.stop_gradient(self.fakes(z, labels))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.networks["d"].trainable_variables)
            cost, costs = self.critic_cost(real, fake, labels, update=True)
            extra, more = self._penalty(real, fake, labels, alpha, step)
            total = cost + extra
        self.descend_at(rate, "d", tape, total)
        return {**costs, **more}

    def critic_cost(self, real: tf.Tensor, fake: tf.Tensor, labels: tf.Tensor, update: bool):
        """(what D minimises without penalties, costs by name); `update` advances u."""
        n = real.shape[0]
        logits, classes = self.verdict(tf.concat([real, fake], 0), tf.concat([labels, labels], 0), update)
        cost = self.loss.discriminator(logits[:n], logits[n:])
        if not self.acgan:
            return cost, {"d_cost": cost}
        class_cost = cross_entropy(classes[:n], labels)
        costs = {"d_cost": cost, "acgan": class_cost, "acc_real": accuracy(classes[:n], labels),
                 "acc_fake": accuracy(classes[n:], labels)}
        return cost + self.params.ACGAN_SCALE * class_cost, costs

    def _penalty(self, real, fake, labels, alpha, step):
        """The penalties of the D step, with u as it stands."""
        look = penalties.Look(real, fake, lambda x: self.verdict(x, labels)[0],
                              between=penalties.between(real, fake, alpha))
        extra, scalars = penalties.of_params(self.params, look, step, self.iterations)
        if self.params.LOSS_TYPE == "WGAN-GP":
            penalty = penalties.unit_norm_penalty(penalties.norms_of(look.between.squares),
                                                  self.params.GP_WEIGHT)
            extra, scalars = extra + penalty, {**scalars, "gradient_penalty": penalty}
        return extra, scalars

    def console(self, step, scalars):
        """The original's two lines of `plot.flush`, every `log_every` iterations."""
        if (step + 1) % self.params.log_every:
            return []
        return [f"iter {step}", ", ".join(f"{name}: {float(value):.6f}" for name, value in scalars.items())]

    # -- events ----------------------------------------------------------------------------------------------
    def observe(self, step, scalars):
        self.costs.observe(step, scalars)

    def events(self):
        p = self.params
        dev = p.DEV_FREQUENCY if p.DATASET == "cifar10" else 0  # the other data sets have no test images
        score = inception_event(self, p.INCEPTION_FREQUENCY, p.INCEPTION_SAMPLES, new=p.INCEPTION_NEW)
        curves = Event("curves", p.SAVEFREQ,
                       lambda done, host: draw_series(host.log_dir,
                                                      (*CURVES, score.name, f"{score.name}_std"),
                                                      self.costs.flush(host.log_dir)))
        others = inception_check(p.INCEPTION_FREQUENCY), Event("dev cost", dev,
                                                               monitors.DevCost(self)), self.sheets(SHEETS)
        return self.monitors(p.SINGULAR_FREQUENCY, *others, score, curves)

    # -- pictures --------------------------------------------------------------------------------------------
    def labels(self, n, seed):
        """Ten columns with a class each; of ImageNet's classes one for the whole sheet, drawn once, as in the
        original."""
        if self.classes != 1000:
            return super().labels(n, seed)
        return np.full(n, SHEET_CLASSES[generator(seed, "class").integers(len(SHEET_CLASSES))], np.int32)

    def to_uint8(self, x):
        return bytes.gan_lib(x)

    def pictures(self, seed):
        rows, cols = self.grid
        # The latents stay; the one class of an ImageNet sheet changes with the iteration.
        drawn = seed + int(self.optimizers["d"].iterations.numpy()) if self.optimizers else seed
        sheet = self.generate(self.latents(rows * cols, seed), self.labels(rows * cols, drawn))
        return {"samples": grid(self.to_uint8(sheet), rows, cols)}


SYSTEMS = {"sngan": SNGAN}
