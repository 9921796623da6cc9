"""PGGAN as a system: networks, optimisers, and one iteration at any moment of the growth."""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed, optimizers, options, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.layers.linear import compute_dtype
from tfgan_suite.pggan import losses, networks, paper, reals, recovery, reports, sampling
from tfgan_suite.pggan.networks import Sizes
from tfgan_suite.pggan.schedule import check_devices, rate_of, schedule_of
from tfgan_suite.pictures import sheets
from tfgan_suite.random import Draws
from tfgan_suite.system import System

NETWORKS = {"original": (networks.Generator, networks.Critic), "paper": (paper.Generator, paper.Critic)}


class Phase(NamedTuple):
    """What is static in an iteration: level, whether it fades in, whether the extra terms are on, whether
    Adam starts anew."""

    level: int
    fading: bool
    regularise: bool
    fresh: bool = False


class CriticInputs(NamedTuple):
    """Of one critic step: images [n, h, w, c], latents [n, latent], weights of the points between [n, 1, 1,
    1] or None, labels [n] or None."""

    real: tf.Tensor
    z: tf.Tensor
    weight: tf.Tensor | None = None
    labels: tf.Tensor | None = None


class PGGAN(System):
    """Progressive growing (Karras et al., ICLR 2018) as alenmora/ppgan codes it, its bugs mended; with
    `networks=paper` the paper's networks.

    Networks: `g`, `d` (the critic) and, with `ema`, `a`: the average of `g`.
    """

    grid = (4, 8)
    precisions = (*System.precisions, "float16")
    copies = {"a": "g"}
    length = ("endRes",)
    length_in_iterations = False
    log_files = reports.FILES
    # of what has been trained at an earlier level, as in torch 1.3
    unconnected = tf.UnconnectedGradients.ZERO

    def __init__(self, params, training: bool = True):
        super().__init__(params, training)
        self.schedule, self.sizes, self.classes = schedule_of(params), Sizes.of(params), params.classes
        if params.classes and params.networks != "paper":
            raise UserError(f"classes={params.classes}: the original's networks take no labels; give "
                            f"--networks=paper or --classes=0")
        make_g, make_d = NETWORKS[params.networks]
        self._console, self._told = reports.Console(self), []
        self.reals_of_run = reals.Reals(params, self.schedule.levels, self.critic_steps)
        self.sampling = ("a",) if params.ema else ("g",)
        if not training:
            self.networks = {self.sampling[0]: make_g(self.sizes)}
        else:
            self.networks = {"g": make_g(self.sizes), "d": make_d(self.sizes)}
            if params.ema:
                self.networks["a"] = make_g(self.sizes)
            self._prepare_training()

    def _prepare_training(self) -> None:
        p = self.params
        if "js" in options.penalty_names(p.penalty) and p.criticLossFunc == "BEGAN":
            raise UserError("penalty=js with criticLossFunc=BEGAN: gamma cannot be both the regulariser's "
                            "weight and BEGAN's ratio; give --criticLossFunc=WGAN or --penalty=none")
        check_devices(p, self.schedule.batches, distributed.replicas())
        for name, rate, betas, decay in (("g", p.gLR, p.gOptimizer_betas, p.gLR_wdecay),
                                         ("d", p.cLR, p.cOptimizer_betas, p.cLR_wdecay)):
            self.optimizers[name] = optimizers.AdamTorch(rate, *map(float, betas.split()), weight_decay=decay)
            self.optimizers[name].build(self.networks[name].trainable_variables)
        self.tally = reports.Tally()
        shared = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self.extra_state = {"k": tf.Variable(0.0, name="k", **shared),
                            **{f"loaded_rate/{n}": tf.Variable(0.0, name=f"rate_{n}", **shared)
                               for n in self.optimizers},
                            **self.tally.state()}
        if compute_dtype() == "float16":
            for name, optimizer in self.optimizers.items():
                self.scalers[name], variables = optimizers.scaled(optimizer)
                self.extra_state.update({f"scale/{name}/{v.name.split(':')[0]}": v for v in variables})

    # -- how a run begins ------------------------------------------------------------------------------------
    def begin(self) -> dict:
        decided, lines = recovery.begin(self)
        self.params, self._told = self.params.replace(**decided), [*self._told, *lines]
        return decided

    def go_on(self, about, history) -> None:
        recovery.check_start(self.params, about)
        self.schedule = recovery.continued(self.params, history)

    def is_at(self, place: str, arrays) -> bool:
        return recovery.is_at(self.schedule, place, arrays)

    def is_over(self, phase: Phase, step: int) -> bool:
        now = self.phase(step)
        past = (phase.level, not phase.fading) < (now.level, not now.fading)
        return past or (phase.fresh and not now.fresh)

    def notices(self) -> list[str]:
        return self._told

    # -- size of a run ---------------------------------------------------------------------------------------
    @property
    def critic_steps(self) -> int:
        """Critic steps of one iteration, those that are undone after the generator step included."""
        extra = self.params.unrollCritic or 0
        return self.params.nCritPerGen + (extra if self.params.unroll_form == "mended" else 0)

    @property
    def kept_steps(self) -> int:
        """How many of them are kept."""
        if not self.params.unrollCritic:
            return self.critic_steps
        return self.params.nCritPerGen if self.params.unroll_form == "mended" else 1

    @property
    def heaviest(self) -> int:
        """The first of the last level that has the extra terms (`lazyRegularization` leaves them out of
        most)."""
        first = self.schedule.first_iteration(self.schedule.last)
        return next((step for step in range(first, self.iterations) if self.phase(step).regularise), first)

    @property
    def batch_size(self) -> int:
        return math.gcd(*map(self.schedule.batch, self.schedule.levels))

    @property
    def batches(self) -> str:
        return ", then ".join(map(str, dict.fromkeys(map(self.schedule.batch, self.schedule.levels))))

    @property
    def iterations(self) -> int:
        return self.schedule.iterations

    def images_shown(self, done: int) -> int:
        return self.schedule.at(done).shown

    def save_due(self, done: int) -> bool:
        if self.params.deactivateLog:
            return False
        stable = self.schedule.at(done - 1).stage == "stable"
        return (stable or self.params.saveWhileFading) and self.schedule.crossed(self.params.saveModelEvery,
                                                                                 done - 1)

    def keep(self, number: int) -> bool:
        every = self.params.keep_every
        return every == 0 or number % every == 0 or self.milestone(number)

    def milestone(self, done: int) -> bool:
        """The end of every stage."""
        return self.schedule.ends_stage(done - 1)

    def rewrites_past(self, old, done: int) -> str:
        """Nothing does: what is changed holds from here on (see `schedule.continued`)."""
        return ""

    def phase(self, step: int) -> Phase:
        moment, every = self.schedule.at(step), self.params.lazyRegularization or 1
        count = moment.shown if self.params.lazy_count == "images" else step
        fresh = self.params.reset_optimizer and step > 0 and self.schedule.ends_stage(step - 1)
        return Phase(moment.level, moment.stage == "fade", count % every == 0, fresh)

    # -- data ------------------------------------------------------------------------------------------------
    def source(self):
        source, p = reals.open_source(self.params), self.params
        most = max(map(self.schedule.batch, self.schedule.levels))
        if len(source) < most:
            raise UserError(f"{p.data_path}: has {len(source)} images, fewer than a batch of {most}; add "
                            "images, or give smaller batches in --batch_table")
        self._told = [reals.described(source)]
        return source

    def reals(self):
        return self.reals_of_run.at_the_end(reals.open_source(self.params))

    def batch(self, step: int, source) -> dict[str, np.ndarray]:
        return self.reals_of_run.batch(self.schedule.at(step), source)

    def batch_spec(self):
        m, steps = self.schedule.at(self.heaviest), self.critic_steps
        spec = {"reals": tf.TensorSpec((m.batch, steps, m.resolution, m.resolution, self.params.nChannels))}
        if self.classes:
            spec.update(labels=tf.TensorSpec((m.batch, steps), tf.int32), wanted=tf.TensorSpec((m.batch,),
                                                                                               tf.int32))
        return spec

    # -- one iteration ---------------------------------------------------------------------------------------
    def draws(self, draw: Draws, phase: Phase) -> dict[str, tf.Tensor]:
        n, latent = self.schedule.batch(phase.level), self.params.latentSize
        found = {"z/g": draw.normal("z/g", [n, latent])}
        for i in range(self.critic_steps):
            found[f"z/{i}"] = draw.normal(f"z/{i}", [n, latent])
            if phase.regularise and self.params.extraLossTerm != "TVP":
                found[f"weight/{i}"] = draw.uniform(f"weight/{i}", [n, 1, 1, 1])
        return found

    def update(self, step: tf.Tensor, batch: dict, draws: dict, phase: Phase) -> dict[str, tf.Tensor]:
        """`nCritPerGen` critic steps (and the undone ones of `unrollCritic`), then one generator step.

        Args:
            batch: 'reals' [n, critic steps, h, w, c].
            draws: 'z/i' [n, latent] and 'weight/i' [n, 1, 1, 1] of critic step i, 'z/g' of the generator
                step.
        """
        alpha = self._alpha(step, phase.level) if phase.fading else None
        self._set_rates(phase.level)
        if phase.fresh:
            for optimizer in self.optimizers.values():
                optimizer.reset()
        real, labels = batch["reals"], batch.get("labels")
        if phase.fading and self.params.fade_reals:
            real = paper.fading(real, alpha)
        logged, more, undo = [], [], []
        for i in range(self.critic_steps):
            if i == self.kept_steps:
                undo = self._critic_state()
            inputs = CriticInputs(real[:, i], draws[f"z/{i}"], draws.get(f"weight/{i}"),
                                  None if labels is None else labels[:, i])
            values, scalars = self._critic_step(step, inputs, phase, alpha)
            if i < self.params.nCritPerGen:
                logged.append(values)
                more.append(scalars)
                self.tally.add_critic(values)
        g_loss, g_scalars = self._generator_step(draws["z/g"], batch.get("wanted"), phase, alpha)
        self.tally.add_generator(g_loss)
        for variable, value in undo:
            variable.assign(value)
        self._follow(phase.level, alpha)
        scalars = dict(zip(losses.LOGGED, tf.unstack(tf.reduce_mean(tf.stack(logged), 0))))
        scalars["genLoss"] = g_loss
        scalars.update({name: tf.reduce_mean([each[name] for each in more]) for name in more[0]}, **g_scalars)
        if self.params.criticLossFunc == "BEGAN":
            scalars["k"] = self.extra_state["k"].read_value()
        return {**scalars, **self._position(step, phase.level, alpha)}

    def _position(self, step: tf.Tensor, level: int, alpha: tf.Tensor | None) -> dict[str, tf.Tensor]:
        """Where the run is, for the logs: resolution, weight of the newest level, images shown before,
        rates."""
        first = self.schedule.first_iteration(level)
        shown = self.schedule.at(first).shown + (tf.cast(step, tf.int64) - first) * self.schedule.batch(level)
        return {"resolution": tf.constant(4.0 * 2**level), "alpha": tf.constant(1.0) if alpha is None else
                tf.cast(alpha, tf.float32), "images": tf.cast(shown, tf.float32),
                "gRate": tf.convert_to_tensor(self.optimizers["g"].learning_rate),
                "cRate": tf.convert_to_tensor(self.optimizers["d"].learning_rate)}

    def _alpha(self, step: tf.Tensor, level: int) -> tf.Tensor:
        """The weight of the level that fades in, float64."""
        local = tf.cast(step, tf.int64) - self.schedule.first_iteration(level)
        return self.schedule.alpha(level, tf.cast(local, tf.float64))

    def _set_rates(self, level: int) -> None:
        """Rate * decay from the first iteration and for ever, as coded; or decayed anew at each resolution.

        A rate that came with a snapshot holds until the resolution changes.
        """
        p, grown = self.params, level - self.schedule.first
        power = grown if p.lr_decay == "resolution" else 1
        for name, rate, factor in (("g", p.gLR, p.gLR_decay), ("d", p.cLR, p.cLR_decay)):
            value = tf.constant(rate_of(p, level, rate) * factor**power, tf.float32)
            if grown == 0:
                loaded = self.extra_state[f"loaded_rate/{name}"].read_value()
                value = tf.where(loaded > 0, loaded, value)
            self.optimizers[name].learning_rate.assign(value)

    def _trained(self, kind: str, level: int) -> list:
        """The variables that a step at this level moves.

        A parameter that has been trained at an earlier level and is no longer in use gets a zero gradient, as
        in torch 1.3: its step count and its second moment go on. One of a later level gets none.
        """
        network = self.networks[kind]
        return [v for v in network.trainable_variables if network.in_use(v, level, self.schedule.first)]

    def _critic_step(self, step, inputs: CriticInputs, phase: Phase, alpha) -> tuple[tf.Tensor, dict]:
        """Returns the losses in the order of `losses.LOGGED`, and further scalars.

        The penalties of `--penalty` are in every step, whatever `lazyRegularization` says of the original's
        terms; critLoss holds them and the classifier's losses.
        """
        p, k = self.params, self.extra_state["k"]
        real, z, weight, labels = inputs
        fake = tf.stop_gradient(self.networks["g"].at(phase.level, alpha)(z, labels))
        score = self.networks["d"].at(phase.level, alpha)
        score = losses.Scores(score) if self.classes else score
        scale = self.scalers["d"].loss_scale if self.scalers else None
        with tf.GradientTape() as tape:
            look = losses.looked_at(score, real, fake, weight, scale)
            result = losses.critic_loss(p, look, k.read_value(), phase.regularise, scale)
            term, scalars = penalties.of_params(p, look, step, self.iterations)
            loss = result.loss + term
            if self.classes:
                scalars["realClasses"], scalars["fakeClasses"] = (score.cross_entropy(x, labels)
                                                                  for x in (real, fake))
                loss += p.class_weight * (scalars["realClasses"] + scalars["fakeClasses"])
        self.descend("d", tape, loss, variables=self._trained("d", phase.level))
        if p.criticLossFunc == "BEGAN":
            k.assign(result.k)
        return tf.concat([[loss], result.logged[1:]], 0), scalars

    def _generator_step(self, z, labels, phase: Phase, alpha) -> tuple[tf.Tensor, dict]:
        """Returns the loss, and further scalars."""
        generator, critic = (self.networks[kind].at(phase.level, alpha) for kind in ("g", "d"))
        score, scalars = (losses.Scores(critic) if self.classes else critic), {}
        with tf.GradientTape() as tape:
            fake = generator(z, labels)
            loss = losses.generator_loss(self.params, score, fake, z, phase.regularise)
            if self.classes:
                scalars["genClasses"] = score.cross_entropy(fake, labels)
                loss += self.params.class_weight * scalars["genClasses"]
        self.descend("g", tape, loss, variables=self._trained("g", phase.level))
        return loss, scalars

    def _critic_state(self) -> list:
        """(variable, value) of what `unrollCritic` puts back: the critic, and in the mended form Adam's state
        and k."""
        variables = list(self.networks["d"].trainable_variables)
        if self.params.unroll_form == "mended":
            variables += [*self.optimizers["d"].variables, self.extra_state["k"]]
        return [(v, tf.identity(v.read_value())) for v in variables]

    def _follow(self, level: int, alpha) -> None:
        """Notes how far G has grown, and moves the averaged copy."""
        progress = tf.stack([tf.constant(level, tf.float32), tf.constant(1.0)
                             if alpha is None else tf.cast(alpha, tf.float32)])
        self.networks["g"].progress.assign(progress)
        if "a" in self.networks:
            self.networks["a"].progress.assign(progress)
            pairs = zip(self.networks["a"].trainable_variables, self.networks["g"].trainable_variables)
            for average, variable in pairs:
                average.assign_sub((average - variable) * (1.0 - self.params.smoothing))

    def console(self, step: int, scalars: dict) -> list[str]:
        return self._console.lines(step, scalars) if self.params.deactivateLog else []

    def plan(self) -> list[str]:
        rows = [self.schedule.at(self.schedule.first_iteration(level)) for level in self.schedule.levels]
        return [f"{m.resolution}x{m.resolution}: batch {m.batch}, from iteration {m.iteration}, {m.shown:,} "
                f"images before"
                for m in rows]

    def status(self, step: int) -> str:
        moment = self.schedule.at(step)
        return f"{moment.resolution}x{moment.resolution} " + (f"fade {moment.alpha:.2f}"
                                                              if moment.alpha < 1 else "stable")

    def cut_logs(self, log_dir, done: int) -> None:
        reports.cut_status(self, log_dir, done)

    def events(self) -> list:
        return reports.events(self)

    # -- pictures --------------------------------------------------------------------------------------------
    def pictures(self, seed: int) -> dict[str, np.ndarray]:
        """The sheet, shrunk by a whole number where it is larger than a screen."""
        return {name: sheets.within(sheet)[0] for name, sheet in super().pictures(seed).items()}

    def latents(self, n: int, seed: int) -> np.ndarray:
        return sampling.latents(n, self.params.latentSize, seed)

    def generate(self, latents, labels=None) -> np.ndarray:
        return self.generate_at(latents, labels=labels)

    def generate_at(self, latents, level: int | None = None, alpha: float | None = None,
                    labels=None) -> np.ndarray:
        """Images [n, s, s, c] of any level (s = 4 * 2^level) and fade weight; by default as far as G has
        grown."""
        network = self.networks[self.sampling[0]]
        return np.clip(sampling.draw(network, latents, level, alpha, labels), -1.0, 1.0)

    def generate_bytes(self, n: int) -> int:
        return (n * self.params.endRes**2 * 4 * 8) + (1 << 30)

    def to_uint8(self, x: np.ndarray) -> np.ndarray:
        return sampling.to_bytes(x, self.params.legacy_pictures)


SYSTEMS = {"pggan": PGGAN}
