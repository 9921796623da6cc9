"""Features of many images on disk and their moments in memory; those of real images are kept in the cache folder."""
from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.metrics import cache
from tfgan_suite.metrics.progress import watched
from tfgan_suite.metrics.samples import Sizes
from tfgan_suite.metrics.statistics import Moments

VERSION = 2  # raise it when the same images would give other features


class FeatureFile:
    """Vectors [n, d], float32, in a plain file: written in batches, read in blocks, never all in memory.

    Args:
        path: where; by default a nameless temporary file, which is gone when the object is.
    """

    def __init__(self, path: Path | None = None, width: int = 0):
        self.path, self.width = path, width
        self._file = open(path, "r+b" if path.exists() else "w+b") if path else tempfile.TemporaryFile()  # noqa: SIM115
        self.n = os.fstat(self._file.fileno()).st_size // (4 * width) if width else 0

    def add(self, x: np.ndarray) -> None:
        """Vectors [b, d] behind those that are there.

        Raises:
            UserError: the disk is full.
        """
        self.width = x.shape[1]
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(np.ascontiguousarray(x, np.float32).data)
        except OSError as error:
            raise UserError(f"{self.path or tempfile.gettempdir()}: cannot write features: {error.strerror}") from error
        self.n += len(x)

    def read(self, first: int, last: int) -> np.ndarray:
        """Vectors first to last - 1."""
        self._file.seek(4 * self.width * first)
        data = self._file.read(4 * self.width * (last - first))
        return np.frombuffer(data, np.float32).reshape(-1, self.width)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def real_features(graph, samples, say=None) -> tuple[Moments, FeatureFile, Sizes]:
    """Moments, features and sizes of real images, from the cache if these very images went through this very graph before.

    Args:
        graph: an `Inception`.
        samples: a `SourceSamples`; the key is made of its content, order and size, and of the graph's SHA-256.
        say: as in `watched`.

    Raises:
        UserError: the cache folder cannot be written.
    """
    folder = cache.folder("features")
    name = cache.key(VERSION, graph.file.sha256, samples.fingerprint())
    data, about = folder / f"{name}.f32", folder / f"{name}.npz"
    with contextlib.suppress(UserError):
        if about.is_file() and data.is_file():
            stored = archive.Archive(about)
            moments, sizes = Moments.from_arrays(stored), Sizes(stored["sizes"])
            features = FeatureFile(data, len(moments.mean))
            if features.n == moments.n:
                return moments, features, sizes
    partial = archive.partial_of(data)
    moments, features, sizes = Moments(), FeatureFile(partial), Sizes()
    try:
        for pictures, _ in watched(samples.batches(), "real images", len(samples), say):
            vectors, _ = graph.old(pictures)
            moments.add(vectors)
            features.add(vectors)
            sizes.add(pictures)
        features.close()
        os.replace(partial, data)
        cache.write(about, {**moments.arrays(), "sizes": np.array(sorted(sizes.seen))}.items())
    finally:
        partial.unlink(missing_ok=True)
    return moments, FeatureFile(data, features.width), sizes
