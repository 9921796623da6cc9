"""JS-regularised DCGAN: the `carpedm20_DCGAN` program of rothk/Stabilizing_GANs, one iteration after the
other."""
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers, options, penalties
from tfgan_suite.files import tf1_events
from tfgan_suite.jsreg import objective
from tfgan_suite.jsreg.dcgan import data, events, networks
from tfgan_suite.jsreg.dcgan.stream import Prior, Stream, one_hot
from tfgan_suite.losses import LOSSES
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.random import generator
from tfgan_suite.system import System

CHUNK = 100


class JSRegDCGAN(System):
    """DCGAN whose D minimises its cross-entropy + gamma/2 * the Jensen-Shannon regulariser; conditional on
    MNIST."""

    length = ("epochs",)
    length_in_iterations = False
    log_files = ("summaries", "samps_10k")

    def __init__(self, params, training: bool = True):
        super().__init__(options.without_contradiction(params), training)
        self.size = data.output_size(params)
        self.channels, self.classes = data.kind(params)
        self.prior = Prior(params.z_dim, params.gaussian_prior)
        self._stream: Stream | None = None
        self.networks = {"g": self._generator()}
        if training:
            self.networks["d"] = self._discriminator()
            rates = {"g": params.gen_learning_rate, "d": params.disc_learning_rate}
            make = optimizers.RMSPropTF1 if params.rmsprop else lambda rate: optimizers.adam(rate, 0.5, 0.999)
            self.optimizers = {name: make(rate) for name, rate in rates.items()}
            for name, optimizer in self.optimizers.items():
                optimizer.build(self.networks[name].trainable_variables)

    def _generator(self):
        p, make = self.params, networks.maker("generator/", self.params.bn_mode, self.params.seed)
        if self.classes:
            return networks.conditional_generator(make, self.size, self.channels, p.z_dim, self.classes,
                                                  p.gf_dim, p.gfc_dim)
        return networks.generator(make, self.size, self.channels, p.z_dim, p.gf_dim)

    def _discriminator(self):
        p, make = self.params, networks.maker("discriminator/", self.params.bn_mode, self.params.seed)
        if self.classes:
            return networks.conditional_discriminator(make, self.size, self.channels, self.classes, p.df_dim,
                                                      p.dfc_dim)
        return networks.discriminator(make, self.size, self.channels, p.df_dim)

    # -- size of a run -------------------------------------------------------------------------------------
    @property
    def batch_size(self) -> int:
        """Images of one D or G step."""
        return self.params.batch_size

    @property
    def per_epoch(self) -> int:
        """Iterations per epoch; 1 before `source` has counted the images."""
        return self._stream.per_epoch if self._stream else 1

    @property
    def iterations(self) -> int:
        """Iterations of all epochs; `source` must have been called."""
        return self.params.epochs * self.per_epoch

    def cut_logs(self, log_dir, done: int) -> None:
        """Cuts the event file of the held-out batch."""
        tf1_events.cut(Path(log_dir) / "summaries", done)

    def save_due(self, done: int) -> bool:
        """After the first iteration and after every 100th, as the original."""
        return done == 1 or done % self.params.save_every == 0

    def keep(self, number: int) -> bool:
        """The original keeps one checkpoint."""
        return False

    def images_shown(self, done: int) -> int:
        """Every D step takes a batch of its own."""
        return done * self.batch_size * self.params.disc_update_steps

    # -- data ----------------------------------------------------------------------------------------------
    def source(self):
        """The prepared images; counts them, and lays out the order of the whole run."""
        p = self.params
        source = data.source(p, self.size)
        self._stream = Stream(len(source), p.batch_size, p.disc_update_steps, self.prior, self.classes,
                              p.seed, p.dataset_size)
        return source

    def batch(self, step: int, source) -> dict[str, np.ndarray]:
        """k real batches with their z and labels on the second axis, and z and labels of the G step."""
        draw = self._stream.at(step)
        batch = {"images": self._by_step(data.scaled(source.images(draw.items), self.classes)),
                 "z": self._by_step(draw.d_z), "g_z": draw.g_z}
        if self.classes:
            batch["y"] = self._by_step(one_hot(source.labels[draw.items], self.classes))
            batch["g_y"] = one_hot(draw.g_labels, self.classes)
        return batch

    def _by_step(self, array: np.ndarray) -> np.ndarray:
        """[k * B, ...] -> [B, k, ...]."""
        return np.moveaxis(array.reshape(self.params.disc_update_steps, self.batch_size, *array.shape[1:]), 0,
                           1)

    def batch_spec(self) -> dict[str, tf.TensorSpec]:
        """Shapes of `batch`."""
        b, k = self.batch_size, self.params.disc_update_steps
        shapes = {"images": (b, k, *self.size, self.channels), "z": (b, k, self.params.z_dim),
                  "g_z": (b, self.params.z_dim)}
        if self.classes:
            shapes.update(y=(b, k, self.classes), g_y=(b, self.classes))
        return {name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}

    def fixed(self, source=None) -> dict[str, np.ndarray]:
        """The held-out batch and its z (and labels), on which grids and summaries are made; without images if
        no source."""
        draw = self._stream
        batch = {"z": draw.fixed_z if draw else self.latents(self.batch_size, self.params.seed)}
        if self.classes:
            known = source is not None and source.labels is not None
            labels = source.labels[draw.fixed_items] if known else self.labels(self.batch_size,
                                                                               self.params.seed)
            batch["y"] = one_hot(labels, self.classes)
        if source is not None:
            batch["images"] = data.scaled(source.images(draw.fixed_items), self.classes)
        return batch

    # -- one iteration -------------------------------------------------------------------------------------
    def update(self, step, batch, draws, phase):
        """k D steps, then one G step; all with batch statistics."""
        weights = penalties.parameters(self.params, step, self.iterations)
        for k in range(self.params.disc_update_steps):
            y = batch["y"][:, k] if self.classes else None
            scalars = self.d_step(batch["images"][:, k], batch["z"][:, k], y, weights)
        gamma = tf.convert_to_tensor(weights["gamma"], tf.float32)
        return {"gamma": gamma, **scalars, "unreg_gen_loss": self.g_step(batch["g_z"], batch.get("g_y"))}

    def d_losses(self, real, fake, y, weights: dict, training: bool = True) -> dict[str, tf.Tensor]:
        """D's objective `disc_loss` and what it is made of. D sees the real batch first, then the fakes.

        Args:
            real, fake: [B, H, W, C].
            y: labels of both, one-hot [B, classes], or None.
            weights: of the penalties, as `penalties.parameters` gives them.
            training: whether batch norm uses (and moves) batch statistics.
        """
        look = penalties.Look(real, fake, lambda x: self.networks["d"](x, y, training=training))
        return objective.d_losses(self.params, look, weights)

    def g_loss(self, z, y, training: bool = True) -> tf.Tensor:
        """The non-saturating loss of G; the regulariser is not in it."""
        fake = self.networks["g"](z, y, training=training)
        return LOSSES["logistic"].generator(self.networks["d"](fake, y, training=training))

    def d_step(self, real, z, y, weights: dict) -> dict[str, tf.Tensor]:
        """One step of D; the scalars are those before it."""
        fake = self.networks["g"](z, y, training=True)
        with tf.GradientTape() as tape:
            scalars = self.d_losses(real, fake, y, weights)
        self.descend("d", tape, scalars["disc_loss"])
        return scalars

    def g_step(self, z, y) -> tf.Tensor:
        """One step of G; returns its loss before it."""
        with tf.GradientTape() as tape:
            loss = self.g_loss(z, y)
        self.descend("g", tape, loss)
        return loss

    def timed_console(self, step: int, scalars: dict, seconds: float) -> list[str]:
        """The original's line, and the losses that it did not print."""
        epoch, place = divmod(step, self.per_epoch)
        shown = ", ".join(f"{name}: {float(scalars[key]):.4f}" for name, key in
                           (("d_loss", "disc_loss"), ("g_loss", "unreg_gen_loss")))
        return [f"Epoch: {epoch:2d}/{self.params.epochs:2d} [Round: {place:4d}/{self.per_epoch:4d}] "
                f"gamma: {float(scalars['gamma']):.4f}, time: {seconds:.2f}, {shown}"]

    def events(self):
        """The summary of the held-out batch, and the original's pictures after training."""
        return events.events(self)

    # -- pictures ------------------------------------------------------------------------------------------
    def latents(self, n: int, seed: int) -> np.ndarray:
        """`n` draws of the prior from NumPy's legacy generator."""
        return self.prior.draw(np.random.RandomState(seed), n)

    def generate(self, latents, labels=None):
        """Images in [-1, 1] from the moving statistics; int labels for the conditional network, whose (0, 1)
        is stretched."""
        y = one_hot(labels, self.classes) if self.classes else None
        chunks = []
        for i in range(0, len(latents), CHUNK):
            part = None if y is None else y[i:i + CHUNK]
            chunks.append(self.networks["g"](latents[i:i + CHUNK], part, training=False).numpy())
        out = np.concatenate(chunks)
        return 2.0 * out - 1.0 if self.classes else out

    def generate_bytes(self, n: int) -> int:
        """The images, and the activations of one chunk."""
        pixels = self.size[0] * self.size[1]
        return 8 * n * pixels * self.channels + 4 * min(n, CHUNK) * pixels * 2 * (self.params.gf_dim
                                                                                  + self.classes)

    def to_uint8(self, x):
        """(x + 1) * 127.5, truncated."""
        return bytes.carpedm20(x)

    def pictures(self, seed: int) -> dict[str, np.ndarray]:
        """One sheet from the z of the held-out batch: floor(sqrt(B)) columns, as many rows as are needed."""
        fixed = self.fixed()
        labels = fixed["y"].argmax(1) if self.classes else None
        sheet = self.to_uint8(self.generate(fixed["z"], labels))
        columns = math.isqrt(self.batch_size)
        return {"samples": sheets.grid(sheet, -(-self.batch_size // columns), columns)}

    def fresh(self, n: int, *keys) -> tuple[np.ndarray, np.ndarray | None]:
        """`n` new z and, for the conditional network, random labels; a function of the run's seed and the
        keys."""
        random = generator(self.params.seed, *keys)
        random = np.random.RandomState(random.integers(2**32, dtype=np.uint32))
        return self.prior.draw(random, n), random.choice(self.classes, n) if self.classes else None


SYSTEMS = {"jsreg_dcgan": JSRegDCGAN}
