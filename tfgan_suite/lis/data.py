"""The training data of LIS: cropped, scaled, flipped and augmented images of a split data set, in [0, 1].

Geometry is that of torchvision in 2017: all resizing is Pillow's bilinear filter, which averages when it
shrinks.
"""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from tfgan_suite.data import rgb
from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.digits import DigitsSource
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.order import epoch_permutation
from tfgan_suite.data.prepare import resize, scale_smaller_side
from tfgan_suite.data.rgb import WHITE, check_pixels
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError
from tfgan_suite.lis import augmentation, split
from tfgan_suite.random import generator

DATASETS = ("cifar10", "lsun", "imagenet", "folder", "lfw", "digits")
DIGITS_TEST = (100, 200)  # running and final test images of the embedded digits, which need no split file


@dataclass(frozen=True)
class Sizes:
    """(height, width) of the images, and of the centre crop before they are scaled (None: no crop)."""

    image: tuple[int, int]
    crop: tuple[int, int] | None = None


def sizes(params) -> Sizes:
    """Sizes from --image_size or --height and --width, and the same for the crop.

    Raises:
        UserError: none given.
    """
    image = _sides(params.height, params.width, params.image_size)
    if image is None:
        raise UserError("image_size: no size is given; set image_size, or both height and width")
    return Sizes(image, _sides(params.crop_height, params.crop_width, params.crop_size))


def _sides(height: int, width: int, side: int) -> tuple[int, int] | None:
    if height > 0 and width > 0:
        return height, width
    return (side, side) if side > 0 else None


# -- geometry of one image, uint8 [H, W, 3] --------------------------------------------------------------
def round_away(x: float) -> int:
    """Python 2's `round`: halves go away from zero."""
    return int(np.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)


def centre_crop(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle [height, width] of an image; where the image is smaller, black fills up."""
    h, w = image.shape[:2]
    if (h, w) == (height, width):
        return image
    left, top = round_away((w - width) / 2), round_away((h - height) / 2)
    return np.asarray(Image.fromarray(image).crop((left, top, left + width, top + height)))


def prepare(image: np.ndarray, height: int, width: int, crop: tuple[int, int] | None = None) -> np.ndarray:
    """[Centre crop] -> scale -> centre crop.

    A square target scales the shorter side and crops the middle. The original means to do the same for any
    target but passes the width as the interpolation mode; as its ancestor's README says, we resize to
    exactly [height, width] there.

    Args:
        image: uint8 [H, W, 3].
        height, width: of the result.
        crop: (height, width) of the first crop, or None.
    """
    if crop:
        image = centre_crop(image, *crop)
    if height != width:
        return resize(image, height, width)
    return centre_crop(scale_smaller_side(image, height), height, width)


def check_crop(image: np.ndarray, crop: tuple[int, int] | None) -> None:
    """Holds an image against the crop.

    Raises:
        UserError: the crop is larger than the image (the original would fill up with black).
    """
    h, w = image.shape[:2]
    if crop and (crop[0] > h or crop[1] > w):
        raise UserError(f"the image of {w}x{h} is smaller than the crop of {crop[1]}x{crop[0]}; "
                        f"lower --crop_size (or --crop_width and --crop_height)")


def to_float(images: np.ndarray) -> np.ndarray:
    """Bytes -> float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255.0)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """Black borders that make the image square; the odd pixel goes to the top or the left."""
    h, w = image.shape[:2]
    check_pixels(max(h, w), max(h, w))
    top, left = (max(h, w) - h + 1) // 2, (max(h, w) - w + 1) // 2
    return np.pad(image, ((top, max(h, w) - h - top), (left, max(h, w) - w - left), (0, 0)))


# -- the cache of augmented images -----------------------------------------------------------------------
# It saves the time of augmentation, and it is part of the training data's distribution, so its decisions
# are kept apart from its pixels: a version is a number, and the pixels of a version are made from it. A
# resumed run replays the decisions (no image is loaded for that) and goes on with the same versions.
class VersionCache:
    """Which frozen version of an image a look-up shows.

    A look-up goes to one of the lists. If the image is there, it is thrown out with probability `p_drop`,
    otherwise its version is shown. If it is not there (any more), a fresh version is made, and kept as long
    as fewer than `total` versions are kept in all lists together.

    Args:
        total: most versions kept; 0 or less keeps none.
        lists: number of lists.
        p_drop: chance that a hit is thrown out.
    """

    def __init__(self, total: int, lists: int = 1, p_drop: float = 0.1):
        self.total, self.p_drop = total, p_drop
        self.lists: list[dict[int, int]] = [{} for _ in range(max(1, lists))]
        self.count = 0

    def look_up(self, key: int, which: int, u: float, fresh: int) -> int:
        """The version of image `key` to show.

        Args:
            which: the list that was drawn.
            u: uniform number in [0, 1) that decides whether a hit is thrown out.
            fresh: number of the version that is made if one must be.
        """
        kept = self.lists[which]
        if key in kept:
            if u >= self.p_drop:
                return kept[key]
            del kept[key]
            self.count -= 1
        if self.count < self.total:
            kept[key] = fresh
            self.count += 1
        return fresh


class VersionStream:
    """The versions shown at places 0, 1, 2, ... of the endless sequence of training images; a function of
    (seed, place).

    A version's number is the place at which it was made.

    Args:
        seed: the run's seed.
        keys: gives the image at places start ... start+count-1, ints [count].
        total, lists, p_drop: as in `VersionCache`.
    """

    CHUNK = 4096

    def __init__(self, seed: int, keys, total: int, lists: int, p_drop: float):
        self.seed, self.keys, self.arguments = seed, keys, (total, lists, p_drop)
        self._chunk = None
        self._restart()

    def _restart(self) -> None:
        self.cache, self.place = VersionCache(*self.arguments), 0

    def versions(self, start: int, count: int) -> np.ndarray:
        """Versions shown at places start ... start+count-1, int64 [count]. Going on where the last call
        ended costs least; anything else replays the decisions up to there."""
        if self.arguments[0] <= 0:
            return np.arange(start, start + count)
        if start < self.place:
            self._restart()
        while self.place < start:
            self._advance(min(start - self.place, self.CHUNK))
        return self._advance(count)

    def _advance(self, count: int) -> np.ndarray:
        keys = self.keys(self.place, count)
        places = range(self.place, self.place + count)
        shown = [self.cache.look_up(int(key), *self._draws(place), place) for key,
                 place in zip(keys, places)]
        self.place += count
        return np.array(shown, np.int64)

    def _draws(self, place: int) -> tuple[int, float]:
        """The list and the uniform number of one place."""
        chunk, row = divmod(place, self.CHUNK)
        if self._chunk != chunk:
            draw = generator(self.seed, "image cache", chunk)
            self._chunk = chunk
            self._which = draw.integers(len(self.cache.lists), size=self.CHUNK)
            self._uniform = draw.random(self.CHUNK)
        return int(self._which[row]), float(self._uniform[row])


# -- the images ------------------------------------------------------------------------------------------
def open_dataset(dataset: str, dataroot: str, lsun_class: str = "bedroom", digits_size: int = 8,
                 background: tuple = WHITE) -> Source:
    """A whole data set as it is stored: all its images, training and test.

    CIFAR-10 is its 50,000 training images followed by its 10,000 test images. Folders are searched through
    all levels.

    Raises:
        UserError: unknown, or not there.
    """
    if dataset == "digits":
        return DigitsSource(digits_size)
    if dataset not in DATASETS:
        raise UserError(f"dataset={dataset}: unknown; choose from {', '.join(DATASETS)}")
    if not dataroot:
        raise UserError(f"dataroot: is not given; {dataset} needs the folder of its images")
    if dataset == "cifar10":
        return Cifar10(dataroot, "all")
    if dataset == "lsun":
        from tfgan_suite.data.lsun import LsunSource

        return LsunSource(dataroot, f"{lsun_class}_train", background)
    return FolderSource(dataroot, background=background)


def full_name(dataset: str, lsun_class: str) -> str:
    """The data set's name in a split file."""
    return f"{dataset}:{lsun_class}" if dataset == "lsun" else dataset


class LisImages(Source):
    """The training images of a split, and its test images.

    As a `Source` it numbers the training images, prepared but neither flipped nor augmented. They are decoded
    when the first is asked for, so that a test of a few images costs only these.

    Args:
        source: the whole data set.
        parts: which images train and which test.
        wanted: sizes of the images and of the crop before.
        flip: whether half of the training images are mirrored.
        augment: the name of an augmentation set.
        cache: (total, lists, p_drop) of the cache of frozen versions; total <= 0 for none.
        seed: of order, flips, augmentation and cache.
    """

    def __init__(self, source: Source, parts: split.Split, wanted: Sizes, flip: bool = False,
                 augment: str = "none",
                 cache: tuple = (0, 1, 0.1), seed: int = 0):
        if augment not in augmentation.SETS:
            raise UserError(f"augment={augment}: unknown; choose from {', '.join(augmentation.SETS)}")
        self._source, self._wanted, self.split = source, wanted, parts
        self._few = Prepared(source, self._prepare, budget=0, ahead=False)  # keeps nothing
        self.name = self._few.name
        self.labels = None if source.labels is None else source.labels[parts.train]
        self.classes, self.flip, self.seed = source.classes, flip, seed
        self.operations = augmentation.SETS[augment]
        self.stream = VersionStream(seed, self.keys, *cache)
        self.kept: OrderedDict[int, np.ndarray] = OrderedDict()

    @cached_property
    def all(self) -> Prepared:
        """The whole data set, kept in memory where it fits.

        Raises:
            UserError: an image that cannot be read or prepared.
        """
        return Prepared(self._source, self._prepare)

    def _prepare(self, image: np.ndarray) -> np.ndarray:
        check_crop(image, self._wanted.crop)
        return prepare(image, *self._wanted.image, self._wanted.crop)

    def __len__(self):
        return len(self.split.train)

    def image(self, index):
        return self.all.image(self.split.train[index])

    def images(self, indices):
        return self.all.images(self.split.train[np.asarray(indices)])

    def keys(self, start: int, count: int) -> np.ndarray:
        """Training images at places start ... start+count-1 of the endless sequence: permutation after
        permutation."""
        n = len(self)
        first, last = start // n, (start + count - 1) // n
        epochs = [epoch_permutation(n, epoch, self.seed) for epoch in range(first, last + 1)]
        return np.concatenate(epochs)[start - first * n:][:count]

    def batch(self, start: int, count: int) -> np.ndarray:
        """The training images at places start ... start+count-1, a pure function of (seed, place).

        Returns:
            float32 [count, height, width, 3] in [0, 1].
        """
        versions, keys = self.stream.versions(start, count), self.keys(start, count)
        missing = [i for i, version in enumerate(versions) if version not in self.kept]
        fresh = self._make(keys[missing], versions[missing], self.all) if missing else ()
        made = dict(zip(missing, fresh))
        images = np.stack([made[i] if i in made else self.kept[versions[i]] for i in range(count)])
        self._keep(versions, images)
        return to_float(images)

    def first(self, count: int) -> np.ndarray:
        """The first training images as D sees them, flipped and augmented, uint8 [count, height, width, 3].

        It decodes no others and leaves the stream where it is.
        """
        versions = VersionStream(self.seed, self.keys, *self.stream.arguments).versions(0, count)
        return self._make(self.keys(0, count), versions, self._few)

    def _make(self, keys: np.ndarray, versions: np.ndarray, images: Prepared) -> np.ndarray:
        """Frozen versions of some of the images: flipped or not, then augmented. uint8."""
        generators = [generator(self.seed, "image version", version) for version in versions]
        images = images.images(self.split.train[keys])
        if self.flip:
            images = np.stack([image[:, ::-1] if draw.random() < 0.5 else image
                               for image, draw in zip(images, generators)])
        return augmentation.augment(images, self.operations, generators)

    def _keep(self, versions: np.ndarray, images: np.ndarray) -> None:
        """Keeps pixels of as many versions as the cache holds; those not seen for longest go first."""
        total = self.stream.arguments[0]
        for version, image in zip(versions, images):
            if total > 0:
                self.kept[version] = image
                self.kept.move_to_end(version)
        while len(self.kept) > max(total, 0):
            self.kept.popitem(last=False)

    def test(self, part: str = "running_test", most: int | None = None) -> np.ndarray:
        """The images of a test, neither flipped nor augmented (the original does both, which only adds
        noise to the test).

        Args:
            part: 'running_test' or 'final_test'.
            most: only the first so many.

        Returns:
            float32 [n, height, width, 3] in [0, 1].
        """
        numbers = self.split.running_test if part == "running_test" else self.split.final_test
        return to_float(self._few.images(numbers[:most]))


def open_images(params, flip: bool = False, augment: str = "none", cache: tuple = (0, 1, 0.1)) -> LisImages:
    """The data of a run.

    Args:
        params: parameters of a LIS system.
        flip, augment, cache: as in `LisImages` (only G-LIS mirrors, augments and keeps).

    Raises:
        UserError: no data, no split yet, a split of another data set, a crop larger than an image.
    """
    wanted = sizes(params)
    source = open_dataset(params.dataset, params.dataroot, params.lsun_class, max(wanted.image),
                          rgb.colour(params.background))
    if params.dataset == "digits" and not params.dataroot:
        parts = split.make(len(source), *DIGITS_TEST)
    else:
        again = split.command(params.dataset, params.dataroot, params.lsun_class)
        name = full_name(params.dataset, params.lsun_class)
        parts = split.read(params.dataroot, name, source, again, params.trust_split)
    return LisImages(source, parts, wanted, flip, augment, cache, params.seed)


def make_split(dataset: str, dataroot: str, lsun_class: str = "bedroom", running: int = 200,
               final: int = 2000, seed: int = 0, overwrite: bool = False):
    """Splits a data set at random and writes `<dataroot>/data_index.npz`; what `tools/datasets.py split`
    does.

    Returns:
        (path, Split).

    Raises:
        UserError: no data, too few images, a folder that cannot be written, a split that is there already
            (unless `overwrite`).
    """
    if not dataroot:
        raise UserError("--dataroot: is not given; the split is written into the folder of the data")
    source = open_dataset(dataset, dataroot, lsun_class)
    parts = split.make(len(source), running, final, seed)
    return split.write(dataroot, parts, full_name(dataset, lsun_class), source, overwrite), parts
