"""Real images at every resolution: decoded once, resized once each, kept in memory where they fit."""
from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source
from tfgan_suite.files import memory
from tfgan_suite.random import generator

if TYPE_CHECKING:
    from tfgan_suite.pggan.prepared import Prepared

FILTERS = {"NEAREST": Image.Resampling.NEAREST, "BILINEAR": Image.Resampling.BILINEAR,
           "BICUBIC": Image.Resampling.BICUBIC, "LANCZOS": Image.Resampling.LANCZOS,
           "BOX": Image.Resampling.BOX}


def resized(picture: np.ndarray, resolution: int, filter_name: str, channels: int) -> np.ndarray:
    """A picture [H, W, 3] as uint8 [resolution, resolution, channels]; the aspect ratio is not kept (as the
    original)."""
    image = Image.fromarray(picture)
    if channels == 1:
        image = image.convert("L")
    if image.size != (resolution, resolution):
        image = image.resize((resolution, resolution), FILTERS[filter_name])
    return np.asarray(image).reshape(resolution, resolution, channels)


def to_float(batch: np.ndarray) -> np.ndarray:
    """Bytes -> [-1, 1] float32 with the original's roundings: x / 255, then * 2 - 1."""
    return batch.astype(np.float32) / np.float32(255) * np.float32(2) - np.float32(1)


class Pyramid:
    """Resized copies of a source's images, made when they are first asked for.

    An image that is decoded for one resolution is resized for all later ones too that fit into memory, so
    that it is never decoded again as long as everything fits. What does not fit is decoded at every access.
    When a resolution is asked for that is higher than all before, the copies of lower ones are given back,
    and how much fits is asked anew.

    Args:
        source: uint8 images of any size.
        resolutions: all that will be asked for, ascending.
        filter_name: one of FILTERS.
        channels: 3, or 1 for grey.
        limit: bytes; None: half of what is free.
        mirror: batches hold mirrored images too.
    """

    def __init__(self, source: Source, resolutions, filter_name: str, channels: int,
                 limit: float | None = None,
                 mirror: bool = True):
        self.mirror, self.source, self.filter_name, self.channels = mirror, source, filter_name, channels
        self.resolutions, self.limit, self.highest = tuple(resolutions), limit, 0
        self.kept: dict[int, np.ndarray] = {}
        self.ready: dict[int, np.ndarray] = {}
        self.decoded = 0
        self._lock = Lock()

    def _make_room(self, resolution: int) -> None:
        """Gives back the copies below a resolution and takes room for those from it on, as far as they
        fit."""
        self.highest = resolution
        for size in [s for s in self.kept if s < resolution]:
            del self.kept[size], self.ready[size]
        # pages that no copy has been written to are not taken yet, so they count as free
        written = sum(int(ready.sum()) * size**2 * self.channels for size, ready in self.ready.items())
        left = memory.budget() + written // 2 if self.limit is None else self.limit
        for size in [s for s in self.resolutions if s >= resolution]:
            left -= len(self.source) * size * size * self.channels
            if left < 0:
                self.kept.pop(size, None)
                self.ready.pop(size, None)
            elif size not in self.kept:
                self.kept[size] = np.empty((len(self.source), size, size, self.channels), np.uint8)
                self.ready[size] = np.zeros(len(self.source), bool)

    def _load(self, index: int, resolution: int) -> np.ndarray:
        picture = self.source.image(index)
        for size, array in self.kept.items():
            if size >= resolution:
                array[index] = resized(picture, size, self.filter_name, self.channels)
                self.ready[size][index] = True
        if resolution in self.kept:
            return self.kept[resolution][index]
        return resized(picture, resolution, self.filter_name, self.channels)

    def images(self, indices, resolution: int) -> np.ndarray:
        """uint8 [n, resolution, resolution, channels]; batches and pictures may ask from two threads."""
        with self._lock:
            if resolution > self.highest:
                self._make_room(resolution)
            return self._images(indices, resolution)

    def _images(self, indices, resolution: int) -> np.ndarray:
        ready = self.ready.get(resolution)
        missing = [int(i) for i in indices if ready is None or not ready[i]]
        self.decoded += len(missing)
        loaded = dict(zip(missing, in_parallel(lambda i: self._load(i, resolution), missing, "")))
        return np.stack([loaded[int(i)] if int(i) in loaded else self.kept[resolution][i] for i in indices])


def chosen(count: int, batch: int, seed: int, *keys) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of `batch` different images of `count`, and which of them are mirrored, each with probability
    1/2: a function of (seed, keys).

    The original draws every batch from a fresh permutation of the whole set, and so does this.
    """
    draw = generator(seed, "reals", *keys)
    return draw.choice(count, batch, replace=False), draw.random(batch) < 0.5


def real_batch(pyramid: Pyramid | Prepared, batch: int, resolution: int, seed: int, *keys) -> np.ndarray:
    """The images that `chosen` says, mirrored if the pyramid says so.

    Returns:
        float32 [batch, resolution, resolution, channels] in [-1, 1].
    """
    numbers, flip = chosen(len(pyramid.source), batch, seed, *keys)
    pictures = pyramid.images(numbers, resolution)
    flip &= pyramid.mirror
    pictures[flip] = pictures[flip, :, ::-1]
    return to_float(pictures)
