"""JS-regularised GAN on a mixture in a plane in space: the `3DGAN` program of rothk/Stabilizing_GANs.

Several runs follow one another: run r has the iterations r * per_run ... (r+1) * per_run - 1, of which the
    first
`disc_pretrain_steps` update D only. Each run starts from weights and optimisers of its own.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers, options, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, memory
from tfgan_suite.jsreg import objective
from tfgan_suite.jsreg.mixture import events, geometry, networks, plots
from tfgan_suite.losses import LOSSES
from tfgan_suite.pictures import saving
from tfgan_suite.random import Draws
from tfgan_suite.system import System


def make_optimizer(params, rate: float) -> tf.keras.optimizers.Optimizer:
    """SGD, RMSProp or Adam, whichever the switches choose first."""
    if params.sgd:
        return tf.keras.optimizers.SGD(rate, jit_compile=False)
    return optimizers.RMSPropTF1(rate) if params.rmsprop else optimizers.adam(rate, 0.5, 0.999)


class JSRegMixture(System):
    """Points in space, not images: `pictures` are plots, and `write_samples` writes a plot and the points."""

    makes_images, default_metrics = False, ("modes",)
    length = ("num_runs", "max_steps")
    length_in_iterations = False
    log_files = events.FILES

    def __init__(self, params, training: bool = True):
        super().__init__(options.without_contradiction(params), training)
        if not params.disc_update_steps and not params.gen_update_steps:
            raise UserError("disc_update_steps=0, gen_update_steps=0: nothing would be trained; give one of "
                            "them 1 or more")
        self.mixture = geometry.Mixture(params.components, params.radius, params.std)
        self.networks = {"g": networks.generator(params)}
        if training:
            self.networks["d"] = networks.discriminator(params)
            rates = {"g": params.gen_learning_rate, "d": params.disc_learning_rate}
            self.optimizers = {name: make_optimizer(params, rate) for name, rate in rates.items()}
            for name, optimizer in self.optimizers.items():
                optimizer.build(self.networks[name].trainable_variables)
            # every other variable of the three optimisers starts at zero
            starts = optimizers.RMSPropTF1.slots
            self._fresh = [(v, np.full(v.shape, starts.get(v.name.split("/")[0], 0), v.dtype.as_numpy_dtype))
                           for o in self.optimizers.values() for v in o.variables]

    # -- size of a run -------------------------------------------------------------------------------------
    @property
    def batch_size(self) -> int:
        """Points of one D or G step."""
        return self.params.batch_size

    @property
    def per_run(self) -> int:
        """Iterations of one of the `num_runs` runs, with the D-only ones before it."""
        return self.params.disc_pretrain_steps + self.params.max_steps

    @property
    def iterations(self) -> int:
        """Iterations of all runs."""
        return self.params.num_runs * self.per_run

    @property
    def planned(self) -> int:
        """Annealing starts anew in each run."""
        return self.params.max_steps

    def gamma_at(self, done: int, planned: int) -> float:
        place = done % self.per_run - self.params.disc_pretrain_steps
        return float(penalties.js_gamma(self.params, tf.constant(max(place, 0), tf.int64), planned,
                                        from_one=True))

    def place(self, done: int) -> tuple[int, int]:
        """(run, iterations of the original's loop done in it; 0 or less while D is trained alone) after
        `done` iterations."""
        run = max(done - 1, 0) // self.per_run
        return run, done - run * self.per_run - self.params.disc_pretrain_steps

    def updates(self, i: int) -> int:
        """The original's counter after `i` iterations of a run: G updates, or with `wall_clock` all
        updates."""
        p = self.params
        if not p.wall_clock:
            return i * p.gen_update_steps
        return i * (p.gen_update_steps + p.disc_update_steps) + (p.disc_pretrain_steps if i else 0)

    def save_due(self, done: int) -> bool:
        """Every `save_every` iterations, and at the end of each run."""
        return done % self.params.save_every == 0 or done % self.per_run == 0

    def keep(self, number: int) -> bool:
        """The last G of every run stays."""
        return number % self.per_run == 0

    def rewrites_past(self, old, done: int) -> str:
        """The length of a run can change while the first one is the only one."""
        before = old.disc_pretrain_steps + old.max_steps
        if done <= min(before, self.per_run):
            return ""
        return f"the first {done} iterations would be divided into runs anew"

    def cut_logs(self, log_dir, done: int) -> None:
        """Cuts the event files of the runs."""
        events.cut(self, log_dir, done)

    def images_shown(self, done: int) -> int:
        """Real points that D has seen."""
        p = self.params
        runs, rest = divmod(done, self.per_run)
        alone = min(rest, p.disc_pretrain_steps)
        d_steps = alone + (rest - alone) * p.disc_update_steps
        return self.batch_size * (runs * (p.disc_pretrain_steps + p.max_steps * p.disc_update_steps)
                                  + d_steps)

    def phase(self, step: int):
        """(a new run starts, only D is trained)."""
        place = step % self.per_run
        return place == 0 and step > 0, place < self.params.disc_pretrain_steps

    # -- data: drawn on the device -------------------------------------------------------------------------
    def source(self):
        """None: the system makes its own data."""
        return

    def batch(self, step, source):
        """Nothing."""
        return {}

    def batch_spec(self):
        """Nothing."""
        return {}

    def real_points(self, draw: Draws, name: str) -> tf.Tensor:
        """A batch of the mixture in space, float32 [B, 3]."""
        component = draw.integers(f"{name}/component", [self.batch_size], self.mixture.components)
        noise = draw.normal(f"{name}/noise", [self.batch_size, 2])
        plane = tf.gather(tf.constant(self.mixture.centres()), component) + self.mixture.std * noise
        return tf.matmul(tf.pad(plane, [[0, 0], [0, 1]]), geometry.ROTATION) + geometry.SHIFT

    def prior(self, draw: Draws, name: str) -> tf.Tensor:
        """z, float32 [B, z_dim]."""
        shape = [self.batch_size, self.params.z_dim]
        return draw.uniform(name, shape, -1.0, 1.0) if self.params.uniform_prior else draw.normal(name, shape)

    def draws(self, draw: Draws, phase) -> dict:
        """Fresh points and z for every update, lists by update: `data`, `z` for D and `g_z` for G."""
        alone = phase[1]
        d_steps = range(1 if alone else self.params.disc_update_steps)
        g_steps = range(0 if alone else self.params.gen_update_steps)
        return {"data": [self.real_points(draw, f"data{k}") for k in d_steps],
                "z": [self.prior(draw, f"z{k}") for k in d_steps],
                "g_z": [self.prior(draw, f"g_z{k}") for k in g_steps]}

    # -- one iteration -------------------------------------------------------------------------------------
    def update(self, step, batch, draws, phase):
        """D steps, then G steps; first of all new weights where a run starts."""
        starts, alone = phase
        if starts:
            self.restart(step // self.per_run)
        weights, scalars = self.weights(None if alone else step), {}
        for points, z in zip(draws["data"], draws["z"]):
            scalars = self.d_step(points, z, weights)
        g_losses = [self.g_step(z) for z in draws["g_z"]]
        gamma = tf.convert_to_tensor(weights["gamma"], tf.float32)
        return {"gamma": gamma, **scalars, **({"unreg_gen_loss": g_losses[-1]} if g_losses else {})}

    def weights(self, step: tf.Tensor | None) -> dict:
        """The weights of the penalties, as `penalties.parameters` gives them.

        With annealing gamma is gamma * decay_factor^(i / max_steps), i from 1 within each run; where `step`
        is None, while D is trained alone, it is gamma.
        """
        p, weights = self.params, penalties.weights(self.params)
        if p.gamma and step is not None:
            place = step % self.per_run - p.disc_pretrain_steps
            weights["gamma"] = penalties.js_gamma(p, place, p.max_steps, from_one=True)
        return weights

    def d_losses(self, real, fake, weights: dict, discriminator=None) -> dict[str, tf.Tensor]:
        """D's objective `disc_loss` and what it is made of; real, fake: [B, 3]; another D than the present
        one if given."""
        look = penalties.Look(real, fake, discriminator or self.networks["d"])
        return objective.d_losses(self.params, look, weights)

    def g_loss(self, z) -> tf.Tensor:
        """G's loss on z [B, z_dim]."""
        return self.g_loss_of(self.networks["d"](self.networks["g"](z)))

    def g_loss_of(self, logits) -> tf.Tensor:
        """mean log(1 - D(G(z))), saturating; with `alt_gen_loss` mean -log D(G(z)). logits: of the fakes."""
        return LOSSES["logistic" if self.params.alt_gen_loss else "saturating"].generator(logits)

    def d_step(self, real, z, weights: dict) -> dict[str, tf.Tensor]:
        """One step of D; the scalars are those before it."""
        fake = self.networks["g"](z)
        with tf.GradientTape() as tape:
            scalars = self.d_losses(real, fake, weights)
        self.descend("d", tape, scalars["disc_loss"])
        return scalars

    def g_step(self, z) -> tf.Tensor:
        """One step of G; returns its loss before it."""
        with tf.GradientTape() as tape:
            loss = self.g_loss(z)
        self.descend("g", tape, loss)
        return loss

    def restart(self, run: tf.Tensor) -> None:
        """Gives all weights the initial values of that run, and the optimisers their first state."""
        values = [pair for network in self.networks.values()
                  for pair in networks.first_values(network, self.params.seed, run)]
        values += [(v, tf.constant(value, v.dtype)) for v, value in self._fresh]

        def assign(strategy, new):
            for (variable, _), value in zip(values, new):
                strategy.extended.update(variable, lambda v, x: v.assign(x), args=(value,))

        tf.distribute.get_replica_context().merge_call(assign, args=([value for _, value in values],))

    def console(self, step: int, scalars: dict) -> list[str]:
        """About a hundred lines a run: run, iteration, the original's counter, losses. (The original shows a
        bar only.)"""
        run, i = self.place(step + 1)
        if i % max(1, self.params.max_steps // 100):
            return []
        shown = ", ".join(f"{name}: {float(scalars[key]):.4f}" for name, key in
                           (("d_loss", "disc_loss"), ("g_loss", "unreg_gen_loss")) if key in scalars)
        return [f"Run: {run}/{self.params.num_runs} [Step: {i}/{self.params.max_steps}] updates: "
                f"{self.updates(max(i, 0))} gamma: {float(scalars['gamma']):.4f}, {shown}"]

    def events(self):
        """Snapshots, the figure and the statistics of each run."""
        return events.events(self)

    # -- points and plots ----------------------------------------------------------------------------------
    def latents(self, n: int, seed: int) -> np.ndarray:
        """`n` draws of the prior, float32 [n, z_dim]."""
        random = np.random.RandomState(seed)
        shape = (n, self.params.z_dim)
        return (random.uniform(-1, 1, shape)
                if self.params.uniform_prior else random.normal(0, 1, shape)).astype(np.float32)

    def points(self, latents: np.ndarray) -> np.ndarray:
        """G's points in space, float32 [n, 3]."""
        return self.networks["g"](tf.constant(latents)).numpy()

    def drawn(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """(latents, points in space) of a seed.

        Raises:
            UserError: more than this machine has memory for.
        """
        need, free = self.generate_bytes(n), memory.available()
        if need > free:
            raise UserError(f"--n={n}: so many points need about {need / 2**30:.1f} GiB of memory, "
                            f"{free / 2**30:.1f} GiB are free; give a smaller --n")
        latents = self.latents(n, seed)
        return latents, self.points(latents)

    def generate(self, latents, labels=None):
        """This system makes no images.

        Raises:
            UserError: always; for the verbs and metrics that need images.
        """
        raise UserError(f"{self.params.name}: makes points, not images; use ./sample.py, or "
                        "tools/evaluate.py with --metrics=modes")

    def generate_bytes(self, n: int) -> int:
        """The activations."""
        return 12 * n * self.params.hidden

    def snapshot_size(self) -> int:
        """Points of a snapshot."""
        return self.params.viz_batches * self.params.batch_size

    def pictures(self, seed: int) -> dict[str, np.ndarray]:
        """G's points in space, in the plane, and their density there."""
        return {"samples": plots.overview(self.points(self.latents(self.snapshot_size(), seed)),
                                          self.mixture)}

    def write_samples(self, out, seed: int, n: int | None = None) -> None:
        """What `sample.py` writes: the plot OUT, and beside it OUT with the ending .npz with the points.

        The archive holds `points` [n, 3] in space, `plane` [n, 3] in the plane's coordinates, `latents` [n,
        z_dim] and the mixture's `centres` [components, 3] in space.
        """
        latents, points = self.drawn(n or self.snapshot_size(), seed)
        saving.save(out, plots.overview(points, self.mixture))
        archive.write(Path(out).with_suffix(".npz"), {
            "points": points, "plane": geometry.to_plane(points).astype(np.float32), "latents": latents,
            "centres": self.mixture.centres_in_space()}.items())

    def metrics(self) -> dict:
        """`modes`, for `tools/evaluate.py`: see `Mixture.quality`; from n samples of the evaluation's
        seed."""
        def modes(evaluation):
            return self.mixture.quality(self.drawn(len(evaluation.samples), evaluation.seed)[1])

        return {"modes": modes}


SYSTEMS = {"jsreg_mixture": JSRegMixture}
