"""Real images with labels, at the size of the networks, by the name of the data set."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfgan_suite.data import catalog, imagenet, pack, readable, rgb
from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.digits import DigitsSource
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.prepare import resize, square_crop
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source, Subset, stamp_of
from tfgan_suite.errors import UserError


@dataclass(frozen=True)
class Wanted:
    """What is asked of a data set.

    Attributes:
        folder: where it is.
        size: side of the networks' images.
        part: 'train' or 'test', where there are both.
        labels: whether labels are used; a folder of images needs no folder per class otherwise.
        background: what is seen through transparent parts of pictures.
    """

    folder: str
    size: int
    part: str = "train"
    labels: bool = True
    background: tuple = WHITE


@dataclass(frozen=True)
class Opener:
    """How a data set is opened.

    Attributes:
        images: gives the images as they are.
        fixed: (size) -> whether they have the networks' size already.
    """

    images: Callable[[Wanted], Source]
    fixed: Callable[[int], bool] = lambda size: False


def _folder(wanted: Wanted) -> Source:
    if pack.is_pack(wanted.folder):
        return pack.PackedFolder(wanted.folder, wanted.labels, wanted.background)
    missing = "make a folder per class there" if wanted.labels else catalog.advice(wanted.folder)
    return FolderSource(wanted.folder, per_class=wanted.labels, missing=missing,
                        background=wanted.background)


SOURCES = {
    "cifar10": Opener(lambda wanted: Cifar10(wanted.folder, wanted.part), lambda size: size == 32),
    "folder": Opener(_folder),
    "imagenet": Opener(lambda wanted: imagenet.locate(wanted.folder, wanted.size, wanted.background,
                                                      wanted.labels)),
    "digits": Opener(lambda wanted: DigitsSource(wanted.size), lambda size: True),
}


def _restricted(source: Source, limits: tuple[int, int] | None) -> Source:
    if limits is None:
        return source
    first, last = limits
    chosen = np.flatnonzero((source.labels >= first) & (source.labels <= last))
    if not len(chosen):
        raise UserError(f"{source.name}: has no image of the classes {first} to {last}; it has "
                        f"{len(source.classes)} classes")
    return Subset(source, chosen, source.labels[chosen] - first, source.classes[first:last + 1])


class RandomCrops(Source):
    """Images at the networks' size: by themselves the middle square, in training a random square, half of
    them mirrored.

    The augmentation of pfnet-research/sngan_projection: a square of side int(ratio * the shorter side),
    anywhere. Images are decoded when they are asked for.

    Args:
        source: images of any size.
        size: side of the results.
        ratio: in (0, 1].
    """

    def __init__(self, source: Source, size: int, ratio: float):
        self.source, self.size, self.ratio = source, size, ratio
        self.name, self.labels, self.classes = source.name, source.labels, source.classes
        self._beside = readable.watch(source)

    def __len__(self):
        return len(self.source)

    def image(self, index):
        self._beside.check()
        return resize(square_crop(self.source.image(index)), self.size, self.size)

    def stamp(self):
        return stamp_of(self.source.stamp(), "the middle square", self.size)

    def images(self, indices):
        return np.stack(in_parallel(lambda i: self.image(int(i)), indices, ""))

    def drawn(self, indices, generator: np.random.Generator) -> np.ndarray:
        """uint8 [n, size, size, 3] of image numbers [n], by random numbers of `generator`: three an image."""
        self._beside.check()
        numbers = generator.random((len(indices), 3))
        return np.stack(in_parallel(lambda k: self.crop(self.source.image(int(indices[k])), *numbers[k]),
                                    range(len(indices)), ""))

    def crop(self, image: np.ndarray, top: float, left: float, mirror: float) -> np.ndarray:
        """The square at (top, left), each in [0, 1) of the room that there is, mirrored where `mirror` is
        below a half."""
        height, width = image.shape[:2]
        side = max(int(min(height, width) * self.ratio), 1)
        y, x = int(top * (height - side + 1)), int(left * (width - side + 1))
        square = resize(image[y:y + side, x:x + side], self.size, self.size)
        return square[:, ::-1] if mirror < 0.5 else square


def open_source(dataset: str, folder: str, size: int, classes: int, part: str = "train",
                limits: tuple[int, int] | None = None, crop: float | None = None,
                background: str = "white") -> Source:
    """The images of a data set, uint8 [size, size, 3], with labels 0..classes-1.

    Images of another size are cropped to their middle square and resized (bilinear), without the stretch of
    contrast that SciPy's `imresize` gave the originals.

    Args:
        classes: how many the networks have; 0 if labels are not used.
        limits: first and last class that are used, numbered anew from 0; None: all.
        crop: side of random squares as a share of the shorter side (see `RandomCrops`); None: the middle
            square.
        background: colour in place of transparent parts of pictures.

    Raises:
        UserError: not there, unreadable, or with other classes.
    """
    opener = SOURCES[dataset]
    wanted = Wanted(folder, size, part, bool(classes or limits), rgb.colour(background))
    raw = _restricted(opener.images(wanted), limits)
    if classes:
        check_labels(raw.labels, classes, raw.name)
        if raw.classes and len(raw.classes) != classes:
            raise UserError(f"{raw.name}: has {len(raw.classes)} classes, this experiment {classes}; set its "
                            f"number of classes to {len(raw.classes)}")
    if crop is not None:
        return RandomCrops(raw, size, crop)
    if opener.fixed(size):
        return raw
    return Prepared(raw, lambda image: resize(square_crop(image), size, size), f"at {size}x{size}")


def check_labels(labels, classes: int, where: str) -> np.ndarray:
    """Labels as int32 [n].

    Raises:
        UserError: a label outside 0..classes-1; says which.
    """
    labels = np.asarray(labels)
    wrong = (labels < 0) | (labels >= classes)
    if np.any(wrong):
        raise UserError(f"{where}: label {int(labels[wrong][0])} is out of range; this experiment has "
                        f"classes 0 to {classes - 1}")
    return labels.astype(np.int32)
