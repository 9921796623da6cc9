"""Which images train and which test: `data_index.npz` beside the data, and the original's
`data_index.pt`."""
from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError, quoted, reading
from tfgan_suite.files import archive, torch
from tfgan_suite.random import generator

NAME, ORIGINAL_NAME = "data_index.npz", "data_index.pt"
PARTS = ("running_test", "final_test", "train")


@dataclass(frozen=True)
class Split:
    """Image numbers, int64.

    Attributes:
        running_test: for the test during training; the first of `final_test`.
        final_test: for the test at the end.
        train: all others.
    """

    running_test: np.ndarray
    final_test: np.ndarray
    train: np.ndarray

    @property
    def size(self) -> int:
        """Images of the data set that was split."""
        return len(self.final_test) + len(self.train)


def make(size: int, running: int = 200, final: int = 2000, seed: int = 0) -> Split:
    """One random permutation: its first `running` and `final` images test, those from `final` on train.

    Raises:
        UserError: too few images, or running > final (the running test would be trained on).
    """
    if running < 1 or final < 1:
        raise UserError(f"--running={running} --final={final}: both tests need at least one image")
    if running > final:
        raise UserError(f"--running={running}: is more than --final={final}, so that test images would be "
                        "trained on; give running <= final")
    if final >= size:
        raise UserError(f"--final={final}: the data set has {size} images and some must be left to train "
                        "on; give less")
    permutation = generator(seed, "data split").permutation(size).astype(np.int64)
    return Split(permutation[:running], permutation[:final], permutation[final:])


def identity(source: Source) -> str:
    """A hash of what the numbers of a split mean: how many images there are and, where they are files,
    their names."""
    names = []
    if isinstance(source, FolderSource):
        names = [str(path.relative_to(source.root)) for path in source.paths]
    return hashlib.sha256(os.fsencode("\n".join([str(len(source)), *names]))).hexdigest()


def write(dataroot, split: Split, dataset: str, source: Source, overwrite: bool = False) -> Path:
    """Writes `<dataroot>/data_index.npz`.

    Args:
        dataset: its name, with the class where it has one: a split of one data set is not taken for
            another.
        overwrite: replace a split that is there.

    Raises:
        UserError: the folder is not there or cannot be written, or there is a split already.
    """
    path = Path(dataroot) / NAME
    if path.exists() and not overwrite:
        raise UserError(f"{path}: is there already, and runs that were trained with it would be tested on "
                        f"images that they have seen; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise UserError(f"{dataroot}: no such folder; give the folder of the data as --dataroot")
    buffer = io.BytesIO()
    parts = {part: getattr(split, part) for part in PARTS}
    np.savez(buffer, dataset=dataset, identity=identity(source), **parts)
    archive.write_bytes(path, buffer.getvalue())
    return path


def command(dataset: str, dataroot, lsun_class: str = "") -> str:
    """The command that makes a split."""
    name, place = dataset.split(":")[0], f" --dataroot={quoted(dataroot)}" if dataroot else ""
    category = f" --lsun_class={quoted(lsun_class)}" if name == "lsun" else ""
    return f"tools/datasets.py split --dataset={name}{category}{place}"


def read(dataroot, dataset: str, source: Source, again: str, trust: bool = False) -> Split:
    """The split beside the data: ours if it is there, else the original's.

    Args:
        again: the command that makes one, for messages.
        trust: take the original's split for images in folders too (--trust_split).

    Raises:
        UserError: there is none, it is damaged, or it was made for another data set.
    """
    ours, original = Path(dataroot) / NAME, Path(dataroot) / ORIGINAL_NAME
    if ours.is_file():
        return _read_ours(ours, dataset, source, again)
    if original.is_file():
        if isinstance(source, FolderSource) and not trust:
            raise UserError(f"{original}: its numbers mean the order in which the file system of that day "
                            "listed the images, ours are sorted by name, so that images of the test would "
                            f"be trained on; make our split with '{again}', or give --trust_split if you "
                            "know that the orders agree")
        return _read_original(original, source, again)
    raise UserError(f"{ours}: the images are not split into training and test images yet; run '{again}'")


def _read_ours(path: Path, dataset: str, source: Source, again: str) -> Split:
    file = archive.Archive(path, f"make it anew with '{again}'")
    with reading(path, "is no readable split", f"make it anew with '{again}'"):
        split = _split(file)
        made_for, made_of = file.text("dataset"), file.text("identity")
    if made_for != dataset or split.size != len(source):
        raise UserError(f"{path}: was made for {made_for} with {split.size} images, not for {dataset} with "
                        f"{len(source)}; make it anew with '{again}'")
    if made_of != identity(source):
        raise UserError(f"{path}: was made for {split.size} files of other names; make it anew with "
                        f"'{again}'")
    return split


def _split(arrays) -> Split:
    """The split of a file's arrays.

    Raises:
        ValueError: they are no numbers of images, or out of range.
    """
    parts = [arrays[part] for part in PARTS]
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in parts):
        raise ValueError("its parts are no lists of whole numbers")
    split = Split(*(array.astype(np.int64) for array in parts))
    if any(array.size and not 0 <= array.min() <= array.max() < split.size for array in parts):
        raise ValueError(f"it names images beyond its {split.size}")
    return split


def _read_original(path: Path, source: Source, again: str) -> Split:
    found = torch.load(path)
    if not isinstance(found, dict) or not all(isinstance(found.get(part), np.ndarray) for part in PARTS):
        raise UserError(f"{path}: is no split of the original program; make ours with '{again}'")
    with reading(path, "is no split of this data set", f"make ours with '{again}'"):
        split = _split(found)
    numbers = np.sort(np.concatenate([split.final_test, split.train]))
    if split.size != len(source) or not np.array_equal(numbers, np.arange(split.size)):
        raise UserError(f"{path}: was made for another data set, of {split.size} images; this one has "
                        f"{len(source)}; make ours with '{again}'")
    return split
