"""What the two systems share: batches, latents, sampling, sheets, monitors."""
from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers
from tfgan_suite.data.labelled import check_labels, open_source
from tfgan_suite.data.order import ShuffledEpochs
from tfgan_suite.events import Event
from tfgan_suite.files.archive import make_folder
from tfgan_suite.pictures import saving
from tfgan_suite.random import generator
from tfgan_suite.sngan import monitors
from tfgan_suite.system import System


class ClassConditional(System):
    """A class-conditional GAN with several critic steps an iteration.

    Attributes (set by the subclass before anything else is called):
        size: side of the images.
        dim_z: length of a latent.
        critics: discriminator steps an iteration.
        label_count: classes of the data that the networks use; 0 if no network takes labels.
        dataset, folder: where the real images are.
        limits: first and last class that are used, or None.
        crop: share of the shorter side that a random square has in training; None: the middle square, always.
    """

    size = dim_z = critics = label_count = 0
    dataset = folder = ""
    limits: tuple[int, int] | None = None
    crop: float | None = None
    log_files = ("*.png", "costs.csv")
    sample_batch = (
        100  # images made at a time: the original's, whose generator uses the statistics of the batch
    )

    def source(self, part: str = "train"):
        """The real images; `part` 'test' where CIFAR-10's test images are wanted."""
        return open_source(self.dataset, self.folder, self.size, self.label_count, part, self.limits,
                           self.crop, self.params.background)

    def batch(self, step, source):
        order = self._order(len(source))
        rows = np.stack([order.batch(step * self.critics + j) for j in range(self.critics)], 1)
        images = self._images(source, rows.ravel(), step).reshape(*rows.shape, self.size, self.size, 3)
        labels = source.labels[rows] if self.label_count else np.zeros(rows.shape)
        return {"images": images, "labels": labels.astype(np.int32)}

    def _images(self, source, rows: np.ndarray, step: int) -> np.ndarray:
        if self.crop is None:
            return source.images(rows)
        return source.drawn(rows, generator(self.params.seed, "crops", step))

    def batch_spec(self):
        shape = (self.batch_size, self.critics)
        return {"images": tf.TensorSpec((*shape, self.size, self.size, 3), tf.uint8),
                "labels": tf.TensorSpec(shape, tf.int32)}

    @cached_property
    def _orders(self) -> dict[int, ShuffledEpochs]:
        return {}

    def _order(self, n: int) -> ShuffledEpochs:
        if n not in self._orders:
            self._orders[n] = ShuffledEpochs(n, self.batch_size, self.params.seed, self.params.batch_option())
        return self._orders[n]

    def images_shown(self, done):
        return done * self.batch_size * self.critics

    @staticmethod
    def dequantise(images: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Bytes -> [-1, 1): 2 * (x / 256 - 1/2) + noise, with noise from U[0, 1/128)."""
        return 2.0 * (tf.cast(images, tf.float32) / 256.0 - 0.5) + noise

    # -- steps -----------------------------------------------------------------------------------------------
    def build_optimizers(self, rate: float, beta1: float, beta2: float) -> None:
        """Adam for each network."""
        for kind, network in self.networks.items():
            self.optimizers[kind] = optimizers.adam(rate, beta1, beta2)
            self.optimizers[kind].build(network.trainable_variables)

    def descend_at(self, rate: tf.Tensor, kind: str, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """`descend` at a learning rate."""
        optimizers.set_rate(self.optimizers[kind], rate)
        self.descend(kind, tape, loss)

    # -- pictures --------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        return generator(seed, "latents").standard_normal((n, self.dim_z)).astype(np.float32)

    def labels(self, n, seed):
        """Labels of a sheet: ten columns with a class each, spread evenly where there are more than ten."""
        if not self.classes:
            return None
        columns = min(10, self.classes)
        return (np.arange(n, dtype=np.int32) % columns) * self.classes // columns

    def class_weights(self, labels, n: int) -> np.ndarray:
        """float32 [n, classes] from labels [n], or from weights, which pass as they are.

        Raises:
            UserError: a label out of range.
        """
        if np.ndim(labels) == 2:
            return np.asarray(labels, np.float32)
        labels = check_labels(np.broadcast_to(np.asarray(labels), n), self.classes, "labels")
        return np.eye(self.classes, dtype=np.float32)[labels]

    def generate_bytes(self, n):
        """The images, their latents, and the activations of one batch."""
        pixels = self.size**2
        return n * (pixels * 3 * 8 + self.dim_z * 12) + min(n, self.sample_batch) * pixels * 4 * 64

    def generate(self, latents, labels=None):
        """Images of latents [n, dim_z], `sample_batch` at a time.

        A short last batch is filled up with fixed latents: where the generator uses batch statistics, single
            images would
        otherwise be normalised by themselves.

        Args:
            labels: int [n], or weights of classes [n, classes]; None for a column of the sheet each.
        """
        n, size = len(latents), self.sample_batch
        short = -n % size
        table = np.concatenate([np.asarray(latents, np.float32), self.latents(size, 0)[size - short:]])
        weights = np.zeros((n + short, 0), np.float32)
        if self.classes:
            rest = self.class_weights(self.labels(size, 0)[size - short:], short)
            given = self.labels(n, 0) if labels is None else labels
            weights = np.concatenate([self.class_weights(given, n), rest])
        parts = [self.sampler(tf.constant(table[i:i + size]), tf.constant(weights[i:i + size])).numpy()
                 for i in range(0, n + short, size)]
        return np.concatenate(parts)[:n]

    @cached_property
    def sampler(self):
        """Latents [sample_batch, dim_z] and class weights -> images, traced once."""
        return tf.function(self.forward, autograph=False)

    def forward(self, z: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Images of latents with class weights [n, classes] ([n, 0] without classes), nothing updated."""
        return self.networks["g"](z, weights)

    # -- monitors --------------------------------------------------------------------------------------------
    def sheets(self, every: int) -> Event:
        """A sheet of samples each `every` iterations, as often as in the original, unless --sample_every says
        otherwise."""
        def due(done: int) -> bool:
            # then there is one anyway
            return not self.params.sample_every and done % every == 0 and not self.save_due(done)

        def draw(done: int, host) -> dict:
            for tag, sheet in self.pictures(self.params.seed).items():
                host.image(tag, done, sheet)
            return {}

        return Event("sheet", every, draw, due=due)

    def latest_sheet(self, every: int) -> Event:
        """The sheet of now, in `samples/latest.png`, each `every` iterations."""
        def draw(done: int, host) -> dict:
            folder = Path(host.log_dir) / "samples"
            make_folder(folder)
            saving.save(folder / "latest.png", self.pictures(self.params.seed)["samples"])
            return {}

        return Event("latest sheet", every, draw)

    def monitors(self, singular: int, *others: Event) -> list[Event]:
        """Events of both systems; a frequency of 0 leaves one out."""
        events = [Event("singular values", singular, lambda done,
                        host: monitors.singular_values(self.networks["d"])), *others]
        return [event for event in events if event.every]
