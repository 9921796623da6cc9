"""Real images at every resolution: decoded once, resized once each, kept in memory where they fit."""
from __future__ import annotations

from threading import Lock

import numpy as np
from PIL import Image

from tfgan_suite.data import digits, readable
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError
from tfgan_suite.random import generator

FILTERS = {"NEAREST": Image.Resampling.NEAREST, "BILINEAR": Image.Resampling.BILINEAR,
           "BICUBIC": Image.Resampling.BICUBIC, "LANCZOS": Image.Resampling.LANCZOS}


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


def open_source(path: str, end: int, background: tuple = WHITE) -> Source:
    """The real images: 'digits', or a folder with images in sub-folders (or in itself).

    Args:
        end: last resolution.
        background: what is seen through transparent parts.

    Raises:
        UserError: nothing there, or images smaller than `end`.
    """
    if path == "digits":
        return digits.DigitsSource(end)
    missing = "put images below it, or give another --data_path ('digits' needs no files)"
    try:
        source = FolderSource(path, per_class=True, missing=missing, background=background)
    except UserError:
        source = FolderSource(path, per_class=False, missing=missing, background=background)
    size = max(max(source.image(int(i)).shape[:2])
               for i in np.linspace(0, len(source) - 1, min(8, len(source))))
    if size < end:
        raise UserError(f"endRes={end} is above the images of {path} ({size} pixels); give a smaller "
                        f"--endRes")
    return source


class Pyramid:
    """Resized copies of a source's images, made when they are first asked for.

    An image that is decoded for one resolution is resized for all of `resolutions` from that one on, so that
    it is never decoded again as long as everything fits into `limit` bytes. Resolutions beyond the limit are
    decoded at every access.

    Args:
        source: uint8 images of any size.
        resolutions: all that will be asked for, ascending.
        filter_name: one of FILTERS.
        channels: 3, or 1 for grey.
        limit: bytes.
        mirror: batches hold mirrored images too.
    """

    def __init__(self, source: Source, resolutions, filter_name: str, channels: int, limit: float,
                 mirror: bool = True):
        self.mirror, self.source, self.filter_name, self.channels = mirror, source, filter_name, channels
        self.kept: dict[int, np.ndarray] = {}
        self.ready: dict[int, np.ndarray] = {}
        self.decoded = 0
        for resolution in resolutions:
            limit -= len(source) * resolution * resolution * channels
            if limit < 0:
                break
            self.kept[resolution] = np.empty((len(source), resolution, resolution, channels), np.uint8)
            self.ready[resolution] = np.zeros(len(source), bool)
        self._lock = Lock()
        self._beside = readable.watch(source)

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
        """uint8 [n, resolution, resolution, channels]; batches and pictures may ask from two threads.

        Raises:
            UserError: the look at all files beside the training has found a broken one.
        """
        self._beside.check()
        with self._lock:
            return self._images(indices, resolution)

    def _images(self, indices, resolution: int) -> np.ndarray:
        for size in [s for s in self.kept if 2 * s < resolution]:
            # they never come back; half the size may still be shown in a picture
            del self.kept[size], self.ready[size]
        ready = self.ready.get(resolution)
        missing = [int(i) for i in indices if ready is None or not ready[i]]
        self.decoded += len(missing)
        loaded = dict(zip(missing, in_parallel(lambda i: self._load(i, resolution), missing, "")))
        return np.stack([loaded[int(i)] if int(i) in loaded else self.kept[resolution][i] for i in indices])


def real_batch(pyramid: Pyramid, batch: int, resolution: int, seed: int, *keys) -> np.ndarray:
    """`batch` different images, each mirrored with probability 1/2 if the pyramid says so: a function of
    (seed, keys).

    The original draws every batch from a fresh permutation of the whole set, and so does this.

    Returns:
        float32 [batch, resolution, resolution, channels] in [-1, 1].
    """
    draw = generator(seed, "reals", *keys)
    chosen = draw.choice(len(pyramid.source), batch, replace=False)
    flip = (draw.random(batch) < 0.5) & pyramid.mirror
    pictures = pyramid.images(chosen, resolution)
    pictures[flip] = pictures[flip, :, ::-1]
    return to_float(pictures)
