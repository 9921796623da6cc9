"""What is judged, as a stream of uint8 batches: samples of a system, images of a folder, images of a data
source."""
from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from tfgan_suite import random
from tfgan_suite.data import prepare
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.source import Source, stamp_of
from tfgan_suite.errors import UserError

CHUNK = 5000  # latents drawn at a time, so that memory does not grow with n


def score_bytes(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes as SNGAN's original feeds its score: (x + 1) * (255.99 / 2), truncated."""
    return np.clip((np.asarray(x, np.float32) + np.float32(1)) * np.float32(255.99 / 2), 0,
                   255).astype(np.uint8)


class SystemSamples:
    """`n` samples of a system; the same ones each time `batches` is called.

    Latents come from `system.latents` in chunks of 5000 (chunk i has the seed `seed + i * 1000003`), labels
    of conditional systems are uniform. Every batch is generated at its full size and the last one cut, so
    that a generator with batch statistics sees batches of one size only; without such statistics the samples
    do not depend on the batch size.

    Args:
        system: opened for sampling.
        n: number of samples.
        seed: of latents and labels.
        batch: latents per call of `generate`.
        to_uint8: from [-1, 1] to bytes; by default the system's rule.
        label: class of all samples of a conditional system; by default uniform ones.

    Raises:
        UserError: n or batch is not positive.
    """

    def __init__(self, system, n: int, seed: int = 0, batch: int = 100, to_uint8=None,
                 label: int | None = None):
        if n < 1 or batch < 1:
            raise UserError(f"--n={n} --batch={batch}: both must be at least 1")
        self.system, self.n, self.seed, self.batch, self.label = system, n, seed, batch, label
        self.to_uint8 = to_uint8 or system.to_uint8
        self.protocol = {"samples": n, "seed": seed, "batch": batch}
        if system.classes:
            self.protocol["labels"] = f"uniform over {system.classes}" if label is None else f"class {label}"

    def __len__(self):
        return self.n

    def _latents(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Endless batches of latents and labels."""
        held, held_labels, chunk = None, None, 0
        while True:
            while held is None or len(held) < self.batch:
                latents = self.system.latents(CHUNK, (self.seed + chunk * 1000003) % 2**31)
                labels = random.generator(self.seed, "labels", chunk).integers(0, max(self.system.classes, 1),
                                                                               CHUNK)
                labels = labels if self.label is None else np.full(CHUNK, self.label)
                held = latents if held is None else np.concatenate([held, latents])
                held_labels = labels if held_labels is None else np.concatenate([held_labels, labels])
                chunk += 1
            yield (
                held[: self.batch],
                held_labels[: self.batch].astype(np.int32) if self.system.classes else None,
            )
            held, held_labels = held[self.batch:], held_labels[self.batch:]

    def requests(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """(latents [batch, ...], labels [batch] or None) of all batches; of the last one more than are
        used."""
        return itertools.islice(self._latents(), -(-self.n // self.batch))

    def batches(self, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """(uint8 [b, H, W, 3], labels [b] or None); b is `batch` but for the last.

        Args:
            start: begin with this sample, a multiple of `batch`.
        """
        left = self.n - start
        for latents, labels in itertools.islice(self.requests(), start // self.batch, None):
            pictures = as_rgb(self.to_uint8(np.asarray(self.system.generate(latents, labels)))[:left])
            yield pictures, None if labels is None else labels[:left]
            left -= len(pictures)


class SourceSamples:
    """The images of a data source, each once, in an order drawn from seed 0 (or in the source's own).

    Sources are often sorted by class; splits and blocks of a sorted set are not samples of the whole.

    Args:
        source: a `data.Source`.
        size: (H, W); images of another size are scaled to cover it (bilinear, antialiased) and the middle is
            cut out. By default each image keeps its own.
        batch: images at a time.
        n: only n of them (by default all).
        shuffle: False keeps the source's order.
        labelled: whether `batches` gives the source's labels.

    Raises:
        UserError: fewer images than asked for.
    """

    def __init__(self, source: Source, size: tuple | None = None, batch: int = 100, n: int = 0,
                 shuffle: bool = True, labelled: bool = False):
        if n > len(source):
            raise UserError(f"{source.name}: has {len(source)} images, {n} were asked for; give a smaller "
                            f"--n")
        self.source, self.batch, self.n = source, batch, n or len(source)
        self.labels = source.labels if labelled else None
        self.size, count = size, len(source)
        self.order = (random.generator(0, "source order").permutation(count)
                      if shuffle else np.arange(count))[:self.n]
        self.protocol = {"samples": self.n, "batch": batch}

    def __len__(self):
        return self.n

    def _image(self, index: int) -> np.ndarray:
        picture = self.source.image(int(index))
        return picture if self.size in (None, picture.shape[:2]) else prepare.cover(picture, *self.size)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """(uint8 [b, H, W, 3], labels [b] or None): images of one size at a time, where there are several,
        so b may be smaller than `batch`."""
        for first in range(0, self.n, self.batch):
            groups: dict[tuple, list] = {}
            for i in self.order[first:first + self.batch]:
                picture = self._image(i)
                groups.setdefault(picture.shape, []).append((picture, i))
            for group in groups.values():
                pictures, numbers = zip(*group)
                yield as_rgb(np.stack(pictures)), None if self.labels is None else self.labels[list(numbers)]

    def fingerprint(self) -> str:
        """A hash of what `batches` gives, by the source's stamp; it does not depend on the batch size."""
        return stamp_of(self.source.stamp(), self.n, self.size, self.order[:100])


def folder(path, n: int = 0, batch: int = 100, labelled: bool = False) -> SourceSamples:
    """The images in a folder and its sub-folders.

    Args:
        labelled: whether `batches` gives labels: the sub-folders' places in sorted order, where all images
            are in sub-folders.

    Raises:
        UserError: no such folder, no images, fewer than n.
    """
    source = FolderSource(path, per_class=None if labelled else False)
    samples = SourceSamples(source, batch=batch, n=n, labelled=labelled)
    samples.protocol["folder"] = str(path)
    return samples


class Sizes:
    """The sizes of the images of a stream, for the protocol."""

    def __init__(self, seen=()):
        self.seen = {tuple(int(n) for n in size) for size in seen}

    def add(self, pictures: np.ndarray) -> None:
        """Images [b, H, W, C]."""
        self.seen.add(pictures.shape[1:3])

    def __str__(self):
        words = [f"{width}x{height}" for height, width in sorted(self.seen)]
        return words[0] if len(words) == 1 else f"{words[0]} to {words[-1]} ({len(words)} sizes)"


def as_rgb(pictures: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, 1 or 3] -> [n, H, W, 3]."""
    return np.repeat(pictures, 3, axis=-1) if pictures.shape[-1] == 1 else pictures
