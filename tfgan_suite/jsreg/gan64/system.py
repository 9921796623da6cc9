"""`jsreg_gan64`: the 64x64 GANs of rothk/Stabilizing_GANs (`gan_64x64.py`), any architecture with any
objective."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed, options, penalties, random
from tfgan_suite.data import order, prepare, rgb
from tfgan_suite.errors import UserError
from tfgan_suite.events import Event
from tfgan_suite.jsreg.gan64 import data
from tfgan_suite.jsreg.gan64.curves import FIRST, WINDOW, Curves
from tfgan_suite.jsreg.gan64.networks import ARCHITECTURES, NOISE, SIDE
from tfgan_suite.jsreg.gan64.objectives import OBJECTIVES
from tfgan_suite.layers.blocks import Maker
from tfgan_suite.layers.conventions import TFLIB
from tfgan_suite.layers.network import Body
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.weights import Gain, Plain
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.system import System

NORMS = {  # the values of --bn_mode, and D's layer norm in wgan-gp
    "fused": Rule(operation=True),
    "tf13": Rule(epsilon=1e-4, moments="tf13"),
    "tf13_exact": Rule(epsilon=1e-4),
    "layer": Rule("layer"),
    "layer_tf13": Rule("layer", moments="tf13"),
}


def scale(images: tf.Tensor) -> tf.Tensor:
    """Bytes -> [-1, 1] float32."""
    return 2.0 * (tf.cast(images, tf.float32) / 255.0 - 0.5)


class JSRegGan64(System):
    """One iteration: a G step (not in iteration 0), then the D steps, each with a fresh real batch and fresh
    noise.

    Batch norm always uses the statistics of the present batch, in sampling too, so that a sample depends on
    the others of its
    group: `generate` works in groups as large as those of training. With `n_gpus` towers a batch is that many
        parts, each with
    its own statistics, wherever they are computed.

    Raises:
        UserError: a batch that the towers do not divide, towers that the devices do not divide, a width that
            the networks cannot have.
    """

    length = ("iters",)
    heaviest = 1  # the first with a G step
    log_files = ("log.csv", "log.pkl", "*_cost.jpg", "time.jpg")

    def __init__(self, params, training: bool = True):
        self.objective = OBJECTIVES[params.mode]
        super().__init__(options.without_contradiction(params, self.objective.penalties), training)
        _check(params)
        architecture = ARCHITECTURES[params.architecture]
        weight = Gain() if params.weightnorm else Plain()
        make = Maker("Generator.", TFLIB, params.seed, weight, self._rule("fused"))
        width = params.FC_DIM if architecture.by_hidden else params.DIM
        self.networks["g"] = Body(architecture.generator(make, width), TFLIB)
        self.grid = sheets.divided(params.batch_size)
        if training:
            norm = {
                "regularized_gan": params.bn_mode,
                "wgan-gp": "layer" if params.ln_mode == "exact" else "layer_tf13",
            }.get(params.mode, "fused")
            make = make.but(scope="Discriminator.", rule=self._rule(norm))
            self.networks["d"] = Body(architecture.discriminator(make, params.DIM), TFLIB)
            for name, rate in (("g", params.gen_learning_rate), ("d", params.disc_learning_rate)):
                self.optimizers[name] = self.objective.optimizer(self.objective.rate
                                                                 if rate is None else rate)
                self.optimizers[name].build(self.networks[name].trainable_variables)
            self.history = tf.Variable(tf.zeros([WINDOW]), trainable=False, name="history",
                                       aggregation=tf.VariableAggregation.MEAN)
            self.extra_state["train disc cost"] = self.history

    def _rule(self, norm: str) -> Rule:
        return replace(NORMS[norm], synced=self.params.n_gpus == 1)

    # -- size of a run -------------------------------------------------------------------------------------
    @property
    def batch_size(self):
        return self.params.batch_size

    @property
    def iterations(self):
        return self.params.iters

    @property
    def disc_steps(self) -> int:
        """D steps per iteration."""
        return self.params.disc_update_steps or self.objective.disc_steps

    def save_due(self, done):
        return done % self.params.save_every == 0

    def keep(self, number):
        return False

    def images_shown(self, done):
        return done * self.disc_steps * self.batch_size

    def phase(self, step):
        """Whether G is trained too."""
        return step > 0

    # -- data ----------------------------------------------------------------------------------------------
    def source(self):
        source = data.open_source(self.params.dataset, self.params.data_dir, self.params.crop_size,
                                  self.batch_size, rgb.colour(self.params.background))
        for part in (source, source.validation):
            order.batches_per_epoch(len(part), self.batch_size, self.params.legacy_batching)
        return source

    def real(self, source, index: int) -> np.ndarray:
        """Batch `index` of the endless pass over a source, uint8 [B, 64, 64, 3]."""
        return source.images(order.batch_indices(len(source), self.batch_size, index,
                                                 self.params.legacy_batching))

    def batch(self, step, source):
        """The first batch of the data is only shown (samples_groundtruth), never trained on."""
        first = 1 + step * self.disc_steps
        return {"real": np.stack([self.real(source, first + i) for i in range(self.disc_steps)], 1)}

    def batch_spec(self):
        """As `batch`, so that no data are needed to know it."""
        return {"real": tf.TensorSpec((self.batch_size, self.disc_steps, SIDE, SIDE, 3), tf.uint8)}

    # -- one iteration -------------------------------------------------------------------------------------
    def draws(self, draw, phase):
        rows, steps = self.batch_size, self.disc_steps
        drawn = {"z_d": draw.normal("z_d", [rows, steps, NOISE])}
        if phase:
            drawn["z_g"] = draw.normal("z_g", [rows, NOISE])
        if self.objective.gradient_penalty:
            drawn["alpha"] = draw.uniform("alpha", [rows, steps, 1])
        return drawn

    def update(self, step, batch, draws, phase):
        scalars = {}
        if phase:
            scalars["gen cost"] = self.generator_step(draws["z_g"])
        weights = penalties.parameters(self.params, step, self.iterations)
        alpha, descend = draws.get("alpha"), distributed.traced_once(self.discriminator_step)
        for i in range(self.disc_steps):
            cost, statistics = descend(scale(batch["real"][:, i]), draws["z_d"][:, i], weights,
                                       None if alpha is None else alpha[:, i])
        place = tf.cast(step % WINDOW, tf.int32)
        self.history.assign(tf.tensor_scatter_nd_update(self.history, [[place]], [cost]))
        return {"train disc cost": cost, **scalars, **statistics}

    def generator_step(self, z: tf.Tensor) -> tf.Tensor:
        """One step of G on noise [b, 128]; returns its cost before the step."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.networks["g"].trainable_variables)
            cost = self.generator_cost(z)
        self.descend("g", tape, cost)
        return cost

    def generator_cost(self, z: tf.Tensor) -> tf.Tensor:
        """G's cost, the mean over the towers."""
        return _mean([self.objective.generator(self.networks["d"](self.networks["g"](part)))
                      for part in self.towers(z)])

    def discriminator_step(self, real: tf.Tensor, z: tf.Tensor, weights: dict,
                           alpha: tf.Tensor | None = None):
        """One step of D; see `discriminator_cost`, whose values before the step it returns."""
        variables = self.networks["d"].trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            cost, statistics = self.discriminator_cost(real, z, weights, alpha)
        self.descend("d", tape, cost)
        if self.objective.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(variable, -self.objective.clip, self.objective.clip))
        return cost, statistics

    def discriminator_cost(self, real: tf.Tensor, z: tf.Tensor, weights: dict,
                           alpha: tf.Tensor | None = None):
        """D's cost with its penalties, the mean over the towers.

        Args:
            real: [b, 64, 64, 3] in [-1, 1].
            z: [b, 128].
            weights: of the penalties, as `penalties.parameters` gives them.
            alpha: [b, 1] in [0, 1], the place between real and fake where wgan-gp takes its gradient.

        Returns:
            (cost, statistics by name).
        """
        parts = zip(*(self.towers(x) for x in (real, z, z if alpha is None else alpha)))
        costs, statistics = zip(*(self._tower_cost(x, self.networks["g"](y), weights, a) for x, y,
                                  a in parts))
        return _mean(costs), {name: _mean([s[name] for s in statistics]) for name in statistics[0]}

    def _tower_cost(self, real, fake, weights, alpha):
        between = penalties.between(real, fake, alpha) if self.objective.gradient_penalty else None
        look = penalties.Look(real, fake, self.networks["d"], between=between)
        term, statistics = penalties.terms(options.active(self.params), look, weights)
        cost = self.objective.discriminator(look.real.logits, look.fake.logits) + term
        if self.objective.gradient_penalty:
            slopes = penalties.norms_of(look.between.squares)
            value = penalties.unit_norm_penalty(slopes, 1.0)
            cost += self.params.LAMBDA * value
            statistics = {**statistics, "gradient_penalty": value, "slopes": tf.reduce_mean(slopes)}
        return cost, statistics

    def towers(self, x: tf.Tensor) -> list[tf.Tensor]:
        """The parts of a batch that share their batch statistics."""
        if self.params.n_gpus == 1:
            return [x]
        return tf.split(x, x.shape[0] // (self.batch_size // self.params.n_gpus))

    # -- host side -----------------------------------------------------------------------------------------
    def console(self, step, scalars):
        """The original's start-up lines; the others come from `Curves`, as rarely as the original's."""
        if step:
            return []
        p = self.params
        shown = {"BATCH_SIZE": self.batch_size, "DATA_DIR": p.data_dir, "DIM": p.DIM,
                 "DISC_STEPS": self.disc_steps,
                 "ITERS": p.iters, "LAMBDA": p.LAMBDA, "MODE": p.mode, "N_GPUS": p.n_gpus,
                 "OUTPUT_DIM": SIDE * SIDE * 3}
        return [f"MODE: {p.mode}, ARCHITECTURE: {p.architecture}",
                *(f"\t{name}: {value}" for name, value in shown.items())]

    def events(self):
        curves = Curves(self)
        events = [Event("ground truth", 1, self._ground_truth, due=lambda done: done == 1)]
        if self.params.dev_every:
            events.append(Event("validation", self.params.dev_every, curves.validation))
        return [*events, Event("curves", WINDOW, curves.flush,
                               due=lambda done: done <= FIRST or done % WINDOW == 0
                               or done == self.iterations)]

    def _ground_truth(self, done, host):
        """The first batch through the scaling and back; of several towers the original shows the first part
        only."""
        shown = self.real(host.source, 0)[:self.batch_size // self.params.n_gpus]
        host.image("samples_groundtruth", 0, self.sheet(self.to_uint8(scale(shown).numpy())))
        return {}

    def validation_cost(self, source, passes: int, step: int) -> float:
        """Mean of D's cost over the validation part, with fresh noise and the gamma of iteration `step`.

        Args:
            passes: which pass over the validation part this is, from 0; each has its own order.
        """
        count = order.batches_per_epoch(len(source), self.batch_size, self.params.legacy_batching)
        weights = penalties.parameters(self.params, tf.constant(step, tf.int64), self.iterations)
        drawn = random.generator(self.params.seed, "validation", passes)
        costs = []
        for i in range(min(count, self.params.dev_batches or count)):
            z = drawn.standard_normal((self.batch_size, NOISE), np.float32)
            alpha = drawn.random((self.batch_size, 1), np.float32)
            costs.append(self._cost_only(tf.constant(self.real(source, passes * count + i)), tf.constant(z),
                                         weights,
                                         tf.constant(alpha)))
        return float(np.mean([float(cost) for cost in costs]))

    @tf.function
    def _cost_only(self, real, z, weights, alpha):
        return self.discriminator_cost(scale(real), z, weights, alpha)[0]

    # -- pictures ------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        """N(0, 1) [n, 128]; the original draws them once per run, from no seed."""
        return random.generator(seed, "fixed noise").standard_normal((n, NOISE), np.float32)

    def generate(self, latents, labels=None):
        group, n = self.batch_size // self.params.n_gpus, len(latents)
        # the last group is full too, if it can be
        starts = [min(start, max(n - group, 0)) for start in range(0, n, group)]
        made = [self.networks["g"](tf.constant(latents[start:start + group], tf.float32)).numpy()
                for start in starts]
        rest = n - (len(made) - 1) * group
        return np.concatenate([*made[:-1], made[-1][-rest:]])

    def generate_bytes(self, n):
        return n * SIDE * SIDE * 3 * 8 + min(n, self.batch_size) * SIDE * SIDE * self.params.DIM * 64

    def to_uint8(self, x):
        return bytes.tflib(x)

    def sheet(self, images: np.ndarray) -> np.ndarray:
        """One sheet in the original's layout, of uint8 [n, 64, 64, 3]."""
        sheet = sheets.grid(images, *sheets.divided(len(images)))
        return prepare.stretch(sheet) if self.params.stretch else sheet

    def pictures(self, seed):
        return {"samples": self.sheet(self.to_uint8(self.generate(self.latents(self.batch_size, seed))))}


def _mean(values) -> tf.Tensor:
    return tf.add_n(list(values)) / len(values)


def _check(params) -> None:
    replicas = distributed.replicas()
    if params.batch_size % params.n_gpus:
        raise UserError(f"batch_size={params.batch_size} cannot be split over n_gpus={params.n_gpus} towers; "
                        f"choose a multiple")
    if params.n_gpus > 1 and params.n_gpus % replicas:
        raise UserError(f"n_gpus={params.n_gpus} towers cannot be split over {replicas} devices; choose a "
                        f"multiple of {replicas}, or n_gpus=1 for statistics of the whole batch")
    if params.architecture == "ResNet101" and params.DIM < 4:
        raise UserError(f"DIM={params.DIM} is too narrow for ResNet101, which halves it twice; choose 4 or "
                        f"more")


SYSTEMS = {"jsreg_gan64": JSRegGan64}
