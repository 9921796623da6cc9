"""Features of many images on disk and their moments in memory; those of real images are kept in the cache
folder."""
from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.metrics import cache
from tfgan_suite.metrics.progress import watched
from tfgan_suite.metrics.samples import Sizes
from tfgan_suite.metrics.statistics import Gaussian, Moments

MOST = 2 << 30  # bytes of features that are cached: those of 262,144 images
VERSION = 2  # raise it when the same images would give other features


class FeatureFile:
    """Vectors [n, d], float32, in a plain file: written in batches, read in blocks, never all in memory.

    Args:
        path: one that is there, to read from; by default a nameless temporary file, which is gone when the
            object is.
    """

    def __init__(self, path: Path | None = None, width: int = 0):
        self.path, self.width = path, width
        self._file = open(path, "rb") if path else tempfile.TemporaryFile()  # noqa: SIM115
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
            raise UserError(
                f"{self.path or tempfile.gettempdir()}: cannot write features: {error.strerror}"
            ) from error
        self.n += len(x)

    def read(self, first: int, last: int) -> np.ndarray:
        """Vectors first to last - 1."""
        self._file.seek(4 * self.width * first)
        data = self._file.read(4 * self.width * (last - first))
        return np.frombuffer(data, np.float32).reshape(-1, self.width)

    def copy(self, path: Path) -> None:
        """Writes all vectors to a file of their own."""
        self._file.flush()
        self._file.seek(0)
        with open(path, "wb") as target:
            shutil.copyfileobj(self._file, target)


@dataclass
class RealStatistics:
    """What the real images' side of a comparison is.

    Attributes:
        name: where it is from.
        moments: has `mean` and `covariance`.
        features: vectors, if they were asked for.
        sizes: of the images, if they are known.
        n: how many, if that is known.
        network: SHA-256 of the network's file, if they are from a file that says it.
    """

    name: str
    moments: Any
    features: FeatureFile | None = None
    sizes: Sizes | None = None
    n: int | None = None
    network: str | None = None

    def check(self, network: str, width: int) -> None:
        """Raises:
            UserError: they are of another network's features than those of the file with SHA-256 `network`.
        """
        if len(self.moments.mean) != width:
            raise UserError(f"{self.name}: is of {len(self.moments.mean)} features, the network gives "
                            f"{width}")
        if self.network not in (None, network):
            raise UserError(f"{self.name}: was made with the network of SHA-256 {self.network}, this metric "
                            f"uses {network}; make it again with --save_stats")


def of_file(path, label: int | None = None, network: str | None = None) -> RealStatistics:
    """Moments from an `.npz` with `mu` and `sigma` (pytorch-fid, TTUR) or `mean` and `cov` (Chainer's
    programs).

    Args:
        label: of one class, from `mu_LABEL` and `sigma_LABEL`, which `save` writes.
        network: SHA-256 of the network that they are compared with, if it is known already.

    Raises:
        UserError: unreadable, without them, or of another network.
    """
    stored = archive.Archive(path)
    end = "" if label is None else f"_{label}"
    for mean, covariance in ((f"mu{end}", f"sigma{end}"), (f"mean{end}", f"cov{end}")):
        if mean in stored and covariance in stored:
            moments = Gaussian(*(np.asarray(stored[name], np.float64) for name in (mean, covariance)))
            width = len(moments.mean) if moments.mean.ndim == 1 else 0
            if not width or moments.covariance.shape != (width, width):
                raise UserError(f"{path}: '{mean}' has shape {moments.mean.shape}, '{covariance}' "
                                f"{moments.covariance.shape}; they must be [d] and [d, d]")
            count = int(stored[f"n{end}"]) if f"n{end}" in stored else None
            made_with = stored.text("network") if "network" in stored else None
            found = RealStatistics(str(path), moments, n=count, network=made_with)
            if network:
                found.check(network, width)
            return found
    what = "statistics" if label is None else f"statistics of class {label}"
    raise UserError(f"{path}: holds no {what}; it must have 'mu{end}' and 'sigma{end}' (or 'mean{end}' and "
                    f"'cov{end}')")


def save(path, moments: Moments, by_class: Mapping[int, Moments], network: str) -> None:
    """Writes `mu` and `sigma` as pytorch-fid and TTUR do, `n` and the network's SHA-256; `mu_K`, `sigma_K`
    and `n_K` for each class K that has two images or more.

    Raises:
        UserError: it cannot be written.
    """
    def arrays():
        yield "network", np.array(network)
        several = {f"_{label}": found for label, found in sorted(by_class.items()) if found.n > 1}
        for end, found in {"": moments, **several}.items():
            yield f"mu{end}", found.mean
            yield f"sigma{end}", found.covariance
            yield f"n{end}", np.array(found.n)

    archive.write(path, arrays())


def real_features(graph, samples, say=None, keep: bool = True, stamp: str = "") -> RealStatistics:
    """Moments, features and sizes of real images, from the cache if these images went through this graph
    before.

    Moments are always cached; features only where they are asked for and take at most `MOST` bytes. A cache
    that cannot be written costs nothing but time.

    Args:
        graph: an `Inception` or an `EfficientNetLite0`.
        samples: a `SourceSamples`; the key is made of its fingerprint and of the graph's SHA-256.
        say: as in `watched`.
        keep: whether features are wanted.
        stamp: of the images, in place of their fingerprint, where it is known.
    """
    place = _Place.of(cache.key(VERSION, graph.file.sha256, stamp or samples.fingerprint()))
    found = place and place.read(samples.source.name, keep)
    if found:
        return found
    moments, sizes, features = Moments(), Sizes(), FeatureFile() if keep else None
    for pictures, _ in watched(samples.batches(), "real images", len(samples), say):
        vectors, _ = graph.judge(pictures)
        moments.add(vectors)
        sizes.add(pictures)
        if features is not None:
            features.add(vectors)
    if place:
        place.write(moments, sizes, features)
    return RealStatistics(samples.source.name, moments, features, sizes, moments.n)


@dataclass(frozen=True)
class _Place:
    """Where the moments and the features of some images are cached."""

    data: Path
    about: Path

    @classmethod
    def of(cls, name: str) -> _Place | None:
        """None: there is no cache folder."""
        try:
            folder = cache.folder("features")
        except UserError:
            return None
        return cls(folder / f"{name}.f32", folder / f"{name}.npz")

    def read(self, name: str, keep: bool) -> RealStatistics | None:
        """What is there, or None if something is missing or damaged (it is then made again)."""
        if not self.about.is_file() or (keep and not self.data.is_file()):
            return None
        with contextlib.suppress(UserError):
            stored = archive.Archive(self.about)
            moments, sizes = Moments.from_arrays(stored), Sizes(stored["sizes"])
            features = FeatureFile(self.data, len(moments.mean)) if keep else None
            if features is None or features.n == moments.n:
                return RealStatistics(name, moments, features, sizes, moments.n)
        return None

    def write(self, moments: Moments, sizes: Sizes, features: FeatureFile | None) -> None:
        """Writes both, unless they are too large or the folder is not ours to write."""
        try:
            cache.write(self.about, {**moments.arrays(), "sizes": np.array(sorted(sizes.seen))}.items())
            if features is None or 4 * features.n * features.width > MOST:
                return
            partial = archive.partial_of(self.data)
            try:
                features.copy(partial)
                os.replace(partial, self.data)
            finally:
                archive.remove(partial)
        except (UserError, OSError):
            return
