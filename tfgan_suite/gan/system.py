"""The neutral system: n_critic D steps, then one G step, with any loss, penalties, weights, norms and
wrappers."""
from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers, options, penalties
from tfgan_suite.data import catalog, labelled, order
from tfgan_suite.errors import UserError
from tfgan_suite.gan.networks import ARCHITECTURES, Discriminator, Generator, Shape, maker
from tfgan_suite.layers import learned_input
from tfgan_suite.layers.activations import PReLU
from tfgan_suite.layers.learned_input import LearnedInput, LisModule
from tfgan_suite.layers.projections import Projected, draw_filters
from tfgan_suite.losses import LOSSES
from tfgan_suite.random import generator
from tfgan_suite.system import System

BETWEEN = ("wgan_gp", "0gp")  # penalties that look between real and generated images


class Phase(NamedTuple):
    """What is static in an iteration: whether the penalties are on."""

    penalised: bool


def check(params) -> None:
    """Refuses combinations without meaning.

    Raises:
        UserError: says which, and what to do.
    """
    p, problem = params, ""
    if p.norm_d == "conditional":
        problem = "norm_d=conditional: D sees labels through label_in_d; give none, batch or layer"
    elif p.norm_g == "conditional" and not p.classes:
        problem = "norm_g=conditional needs classes; give --classes, or another norm_g"
    elif p.projections and p.label_in_d == "acgan" and p.classes:
        problem = (
            "label_in_d=acgan with projections: K classifiers of projected images; give projection or concat"
        )
    elif p.minibatch_stddev > 1 and p.bsz % p.minibatch_stddev:
        problem = f"minibatch_stddev={p.minibatch_stddev} does not divide bsz={p.bsz}; change one of them"
    elif p.architecture == "mlp" and p.pixel_norm:
        problem = "pixel_norm with architecture=mlp: there are no pixels; leave it out"
    elif p.penalty_every > 1 and not options.penalty_names(p.penalty):
        problem = f"penalty_every={p.penalty_every} without a penalty does nothing; give --penalty"
    if problem:
        raise UserError(problem)


class Gan(System):
    """Any cure on any network."""

    copies = {"a": "g"}

    def __init__(self, params, training=True):
        super().__init__(params, training)
        check(params)
        p = params
        self.classes, self.names = p.classes, options.active(p)
        self.grid, self.loss = (10, min(10, p.classes or 10)), LOSSES[p.loss]
        self.sampling = ("a",) if p.ema else ("g",)
        if not training:
            self.networks = {self.sampling[0]: self._generator()}
            return
        self.networks = {"g": self._generator(), "d": self._discriminator()}
        if p.ema:
            self.networks["a"] = self._generator()
        for kind, rate in (("g", p.lr_g), ("d", p.lr_d)):
            self.optimizers[kind] = optimizers.adam(rate, p.beta1, p.beta2)
            self.optimizers[kind].build(self.networks[kind].trainable_variables)

    def _generator(self):
        p, shape = self.params, Shape(self.params.imsz, self.params.channels, self.params.width_g,
                                      self.params.zlen,
                                      pixels=self.params.pixel_norm)
        make = maker("g/", p.weight_g, p.norm_g, p.classes, p.seed)
        g = Generator(ARCHITECTURES[p.architecture].generator, make, shape, p.classes)
        modules = [LisModule(make, f"lis{i}", p.zlen, activation=PReLU) for i in range(p.lis_modules)]
        return LearnedInput(g, modules) if modules else g

    def _discriminator(self):
        p = self.params

        def make(number: int, channels: int, side: int, scope: str):
            shape = Shape(side, channels, p.width_d, stddev=p.minibatch_stddev)
            made = maker(scope, p.weight_d, p.norm_d, 0, p.seed)
            return Discriminator(ARCHITECTURES[p.architecture].trunk, made, shape, p.classes, p.label_in_d)

        if not p.projections:
            return make(0, p.channels, p.imsz, "d/")
        filters = draw_filters(p.projections, p.seed)
        side = p.imsz // filters.stride
        if side < 8 or side & (side - 1):
            raise UserError(f"projections={p.projections}: its stride leaves {side} pixels of {p.imsz}; at "
                            "least 8, and a power of two, are needed: give a smaller stride or a larger "
                            "imsz")
        return Projected([filters], lambda number, channels: make(number, channels, side, f"d{number}/"))

    # -- size of a run ---------------------------------------------------------------------------------------
    @property
    def images_per_iteration(self) -> int:
        """Real images of one iteration."""
        return self.batch_size * self.params.n_critic

    def images_shown(self, done):
        return done * self.images_per_iteration

    def phase(self, step):
        return Phase(bool(self.names) and step % self.params.penalty_every == 0)

    # -- data ------------------------------------------------------------------------------------------------
    def source(self):
        """The images of `data`, at the side of the networks."""
        p = self.params
        known = p.data if p.data in labelled.SOURCES and p.data != "folder" else "folder"
        if known == "folder" and not Path(p.data).is_dir():
            raise UserError(f"data={p.data}: no such folder; give digits, cifar10, or a folder of images "
                            f"({catalog.advice(p.data)})")
        return labelled.open_source(known, "data/cifar10" if known == "cifar10" else p.data, p.imsz,
                                    p.classes, background=p.background)

    def batch(self, step, source):
        rows = np.concatenate([order.epoch_indices(len(source), self.batch_size, step * self.params.n_critic
                                                   + i,
                                                   self.params.seed) for i in range(self.params.n_critic)])
        images = source.images(rows)[..., :self.params.channels]
        labels = source.labels[rows] if self.classes else np.zeros(len(rows))
        shape = (self.params.n_critic, self.batch_size)
        return {"images": np.moveaxis(images.reshape(*shape, *images.shape[1:]), 0, 1),
                "labels": labels.reshape(shape).T.astype(np.int32)}

    def batch_spec(self):
        p, shape = self.params, (self.params.bsz, self.params.n_critic)
        return {"images": tf.TensorSpec((*shape, p.imsz, p.imsz, p.channels), tf.uint8),
                "labels": tf.TensorSpec(shape, tf.int32)}

    # -- one iteration ---------------------------------------------------------------------------------------
    def draws(self, draw, phase):
        p, names = self.params, ["g", *(f"d{i}" for i in range(self.params.n_critic)),
                                 *(f"u{i}" for i in range(self.params.unroll))]
        found = {f"{name}/z": draw.normal(f"{name}/z", (p.bsz, p.zlen)) for name in names}
        found.update({f"{name}/y": draw.integers(f"{name}/y", (p.bsz,), max(p.classes, 1)) for name in names})
        if p.lis_modules:
            chances = learned_input.stop_chances(p.lis_modules, True)
            found.update({f"{name}/executed": learned_input.count_executed(
                draw.shared(f"{name}/executed", (p.lis_modules,)), chances) for name in names})
        if phase.penalised and set(self.names) & set(BETWEEN):
            found.update({f"{name}/alpha": draw.uniform(f"{name}/alpha", (p.bsz,)) for name in names[1:]})
        return found

    def update(self, step, batch, draws, phase):
        """D steps, the undone ones of `unroll`, and the G step."""
        reals = [(2.0 * (tf.cast(batch["images"][:, i], tf.float32) / 255.0) - 1.0, batch["labels"][:, i])
                 for i in range(self.params.n_critic)]
        for i, (real, labels) in enumerate(reals):
            scalars = self.d_step(step, real, labels, draws, f"d{i}", phase)
        undo = [(v, tf.identity(v.read_value())) for v in self._critic_state] if self.params.unroll else []
        for i in range(self.params.unroll):
            self.d_step(step, *reals[-1], draws, f"u{i}", phase)
        scalars = {**scalars, **self.g_step(*reals[-1], draws["g/z"], draws["g/y"], draws.get("g/executed"))}
        for variable, value in undo:
            variable.assign(value)
        self._follow()
        return scalars

    @cached_property
    def _critic_state(self) -> list:
        """What `unroll` puts back: D and its optimiser."""
        return [*self.networks["d"].variables, *self.optimizers["d"].variables]

    def d_step(self, step, real, labels, draws, name: str, phase: Phase) -> dict[str, tf.Tensor]:
        """One step of D on real images [n, s, s, c] with labels [n] and on fakes of `draws[name/...]`; its
        costs before it."""
        z, fake_labels, alpha = (draws.get(f"{name}/{what}") for what in ("z", "y", "alpha"))
        fake = tf.stop_gradient(self._images_and_vectors(z, fake_labels, draws.get(f"{name}/executed"))[0])
        middle = None if alpha is None else penalties.between(real, fake, alpha)
        d = self.networks["d"]
        with tf.GradientTape() as tape:
            found = [self._alone(member, step, real, labels, fake, fake_labels, middle, phase)
                     for member in (d.members() if self.params.projections else [d])]
            scalars = {name: tf.reduce_mean([one[name] for one in found]) for name in found[0]}
            total = scalars.pop("total")
        self.descend("d", tape, total)
        return scalars

    def _alone(self, d, step, real, labels, fake, fake_labels, middle, phase: Phase) -> dict[str, tf.Tensor]:
        """The costs of one discriminator, `total` among them; its state moves in the pass over the real
        images."""
        classes = []

        def seen(labels, update):
            def score(x):
                logits = d(x, labels, training=True, update=update)
                if isinstance(logits, tuple):
                    classes.append(logits[1])
                    logits = logits[0]
                return logits
            return score

        look = penalties.Look(real, fake, seen(labels, True), seen(fake_labels, False), middle)
        cost = self.loss.discriminator(look.real.logits, look.fake.logits)
        total, scalars = cost, {"d_loss": cost}
        if phase.penalised:
            values = penalties.parameters(self.params, step, self.iterations)
            term, shown = penalties.terms(self.names, look, values)
            total, scalars = total + self.params.penalty_every * term, {**scalars, **shown}
        if classes:
            scalars["d_classes"] = _cross_entropy(classes[0], labels)
            total = total + self.params.acgan_weight * scalars["d_classes"]
        return {"total": total, **scalars}

    def _images_and_vectors(self, z, labels, executed) -> tuple[tf.Tensor, list]:
        """What G makes in training, and the latents after each LIS module, of which `executed` run (None:
        all)."""
        g = self.networks["g"]
        if not self.params.lis_modules:
            return g(z, labels, training=True), []
        return g.images_and_vectors(z, labels, training=True, executed=executed)

    def g_step(self, real, labels, z, fake_labels, executed=None) -> dict[str, tf.Tensor]:
        """One step of G; its costs before it. Modules beyond the first `executed` are at rest, as in the
        LIS paper, so that each number of modules is trained to give images."""
        p, d = self.params, self.networks["d"]
        scalars = {}
        with tf.GradientTape() as tape:
            fake, vectors = self._images_and_vectors(z, fake_labels, executed)
            found = d(fake, fake_labels, training=True, update=False)
            logits, classes = found if isinstance(found, tuple) else (found, None)
            if self.loss.paired:
                on_real = d(real, labels, training=True, update=False)
                on_real = on_real[0] if isinstance(on_real, tuple) else on_real
                total = scalars["g_loss"] = self.loss.generator(on_real, logits)
            else:
                total = scalars["g_loss"] = self.loss.generator(logits)
            if classes is not None:
                scalars["g_classes"] = _cross_entropy(classes, fake_labels)
                total = total + p.acgan_weight * scalars["g_classes"]
            if p.pull_away:
                scalars["pull_away"] = penalties.pull_away(fake, z, 0)
                total = total + p.pull_away * scalars["pull_away"]
            if vectors:
                last = len(vectors) if executed is None else executed
                moved = [p.lambda_r**(i + 1) * tf.reduce_mean(tf.square(x - z)) for i,
                         x in enumerate(vectors)]
                scalars["moved"] = tf.reduce_sum(tf.where(tf.range(len(vectors)) < last, moved, 0.0))
                total = total + scalars["moved"]
        self.descend("g", tape, total)
        return scalars

    def _follow(self) -> None:
        """Moves the averaged copy of G; what is not trained is copied."""
        if "a" not in self.networks:
            return
        a, g = self.networks["a"], self.networks["g"]
        for average, variable in zip(a.trainable_variables, g.trainable_variables):
            average.assign_sub((average - variable) * (1.0 - self.params.ema))
        for average, variable in zip(a.non_trainable_variables, g.non_trainable_variables):
            average.assign(variable)

    # -- pictures --------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        """N(0, 1), float32 [n, zlen]."""
        return generator(seed, "latents").standard_normal((n, self.params.zlen)).astype(np.float32)

    def generate(self, latents, labels=None):
        """Images of latents (with int labels [n], or weights of classes [n, classes]), a batch at a time."""
        return self._drawn(self.networks[self.sampling[0]], latents, labels)

    def all_stages(self, latents, labels=None):
        """Images in [0, 1] before and after each of the `lis_modules`."""
        modules, g = self.params.lis_modules, self.networks[self.sampling[0]]
        if not modules:
            return super().all_stages(latents, labels)
        drawn = [self._drawn(partial(g, executed=k), latents, labels) for k in range(modules + 1)]
        return [np.broadcast_to(x, (*x.shape[:-1], 3)) * np.float32(0.5) + np.float32(0.5) for x in drawn]

    def _drawn(self, g, latents, labels) -> np.ndarray:
        size, labels = self.batch_size, None if labels is None else tf.constant(labels)
        parts = [g(tf.constant(latents[i:i + size], tf.float32), None
                   if labels is None else labels[i:i + size]).numpy()
                 for i in range(0, len(latents), size)]
        return np.concatenate(parts)

    def generate_bytes(self, n):
        p = self.params
        return (n * 8 + min(n, p.bsz) * 4 * p.width_g) * p.imsz**2 * 4


def _cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean of -log softmax(logits)[label]."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


SYSTEMS = {"gan": Gan}
