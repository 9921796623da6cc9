"""A data set at every resolution on disk, so that nothing is decoded in training: `tools/datasets.py
pyramid`.

A folder holds `4.npy`, `8.npy`, ... (uint8 [n, side, side, channels]), `labels.npy` where there are labels,
and `pyramid.json`, which says how they were made. The arrays are mapped, not read: the operating system keeps
what fits.
"""
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np

from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source, stamp_of_files
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files.archive import load_array, make_folder, partial_of
from tfgan_suite.pggan.pyramid import resized

ABOUT, LABELS = "pyramid.json", "labels.npy"
ADVICE = "make it again with ./tools/datasets.py pyramid"


def is_at(path) -> bool:
    """Whether a path is such a folder."""
    return (Path(path) / ABOUT).is_file()


class PreparedSource(Source):
    """The images of such a folder, `image` at the highest resolution.

    Args:
        params: of the run: endRes, inputFilter, nChannels and background have to be those of the
            folder.

    Raises:
        UserError: it is damaged, or was made for other values.
    """

    def __init__(self, path, params=None):
        self.root, self.name = Path(path), str(path)
        with reading(self.root, "is no whole set of this suite", ADVICE):
            about = json.loads((self.root / ABOUT).read_text())
            self.filter, self.channels = about["filter"], about["channels"]
            self.background = about.get("background", "white")
            self.levels = {int(side): np.load(self.root / f"{side}.npy", mmap_mode="r")
                           for side in about["sides"]}
            if (self.root / LABELS).is_file():
                self.labels = load_array(self.root / LABELS).astype(np.int32)
                if self.labels.shape != (about["count"],):
                    raise ValueError(f"{LABELS} holds {self.labels.shape}")
            self.classes = tuple(about["classes"])
            if not self.levels:
                raise ValueError("it has no sides")
            for side, array in self.levels.items():
                if array.dtype != np.uint8 or array.shape != (about["count"], side, side, self.channels):
                    raise ValueError(f"{side}.npy holds {array.dtype} {array.shape}")
        if params is not None:
            self._check(params)

    def _check(self, params) -> None:
        own = {"inputFilter": self.filter, "nChannels": self.channels, "background": self.background}
        for name, value in own.items():
            if params.values[name] != value:
                raise UserError(f"{self.root}: was made with {name}={value}, this run has "
                                f"{name}={params.values[name]}; give --{name}={value} or {ADVICE}")
        if params.endRes not in self.levels:
            raise UserError(f"{self.root}: goes up to {max(self.levels)} pixels, endRes={params.endRes}; "
                            f"give a smaller --endRes or {ADVICE}")

    def __len__(self):
        return len(next(iter(self.levels.values())))

    def image(self, index):
        picture = self.levels[max(self.levels)][index]
        return np.repeat(picture, 3, -1) if self.channels == 1 else np.array(picture)

    def stamp(self):
        return stamp_of_files([self.root / ABOUT, *(self.root / f"{side}.npy" for side in self.levels)])


class Prepared:
    """Its images as `pyramid.Pyramid` gives those of other sources."""

    def __init__(self, source: PreparedSource, mirror: bool):
        self.source, self.mirror = source, mirror

    def images(self, indices, resolution: int) -> np.ndarray:
        """uint8 [n, resolution, resolution, channels]."""
        order = np.argsort(indices)  # in the order of the disk
        found = np.empty((len(order), *self.source.levels[resolution].shape[1:]), np.uint8)
        found[order] = self.source.levels[resolution][np.asarray(indices)[order]]
        return found


def make(source: Source, target, end: int, filter_name: str, channels: int,
         background: str = "white") -> int:
    """Writes the folder: every image is decoded once. It appears whole or not at all.

    Args:
        source: images of any size.
        end: highest resolution.
        filter_name, channels, background: as `inputFilter`, `nChannels` and `background` of the runs.

    Returns:
        How many images it has.

    Raises:
        UserError: it is there already, cannot be written, or an image cannot be read.
    """
    target = Path(target)
    if target.exists():
        raise UserError(f"{target}: is there already; delete it or give another folder")
    make_folder(target.absolute().parent)
    partial, sides = partial_of(target.absolute()), [4 << level for level in range(end.bit_length() - 2)]
    try:
        partial.mkdir(parents=True)
        arrays = {side: np.lib.format.open_memmap(partial / f"{side}.npy", "w+", np.uint8,
                                                  (len(source), side, side, channels)) for side in sides}

        def fill(index):
            picture = source.image(index)
            for side, array in arrays.items():
                array[index] = resized(picture, side, filter_name, channels)

        in_parallel(fill, range(len(source)), "preparing images")
        for array in arrays.values():
            array.flush()
        if source.labels is not None:
            np.save(partial / LABELS, source.labels)
        about = {"count": len(source), "sides": sides, "filter": filter_name, "channels": channels,
                 "background": background, "classes": list(source.classes)}
        (partial / ABOUT).write_text(json.dumps(about, indent=1))
        os.rename(partial, target)
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(source)
