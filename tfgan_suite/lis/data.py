"""The training data of LIS: cropped, scaled, flipped and augmented images of a split data set, in [0, 1]."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.digits import DigitsSource
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.order import epoch_permutation
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError
from tfgan_suite.lis import augmentation, split, transforms
from tfgan_suite.lis.cache import VersionStream
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


def open_dataset(dataset: str, dataroot: str, lsun_class: str = "bedroom", digits_size: int = 8) -> Source:
    """A whole data set as it is stored: all its images, training and test.

    CIFAR-10 is its 50,000 training images followed by its 10,000 test images. Folders are searched through all levels.

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

        return LsunSource(dataroot, f"{lsun_class}_train")
    return FolderSource(dataroot, background=WHITE)


def full_name(dataset: str, lsun_class: str) -> str:
    """The data set's name in a split file."""
    return f"{dataset}:{lsun_class}" if dataset == "lsun" else dataset


class LisImages(Source):
    """The training images of a split, and its test images.

    As a `Source` it numbers the training images, prepared but neither flipped nor augmented.

    Args:
        source: the whole data set.
        parts: which images train and which test.
        wanted: sizes of the images and of the crop before.
        flip: whether half of the training images are mirrored.
        augment: the name of an augmentation set.
        cache: (total, lists, p_drop) of the cache of frozen versions; total <= 0 for none.
        seed: of order, flips, augmentation and cache.
    """

    def __init__(self, source: Source, parts: split.Split, wanted: Sizes, flip: bool = False, augment: str = "none",
                 cache: tuple = (0, 1, 0.1), seed: int = 0):
        if augment not in augmentation.SETS:
            raise UserError(f"augment={augment}: unknown; choose from {', '.join(augmentation.SETS)}")
        self.all, self.split = Prepared(source, lambda image: _prepare(image, wanted)), parts
        self.name = self.all.name
        self.labels = None if source.labels is None else source.labels[parts.train]
        self.classes, self.flip, self.seed = source.classes, flip, seed
        self.operations = augmentation.SETS[augment]
        self.stream = VersionStream(seed, self.keys, *cache)
        self.kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self):
        return len(self.split.train)

    def image(self, index):
        return self.all.image(self.split.train[index])

    def images(self, indices):
        return self.all.images(self.split.train[np.asarray(indices)])

    def keys(self, start: int, count: int) -> np.ndarray:
        """Training images at places start ... start+count-1 of the endless sequence: permutation after permutation."""
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
        made = dict(zip(missing, self._make(keys[missing], versions[missing]))) if missing else {}
        images = np.stack([made[i] if i in made else self.kept[versions[i]] for i in range(count)])
        self._keep(versions, images)
        return transforms.to_float(images)

    def _make(self, keys: np.ndarray, versions: np.ndarray) -> np.ndarray:
        """Frozen versions of some images: flipped or not, then augmented. uint8."""
        generators = [generator(self.seed, "image version", version) for version in versions]
        images = self.images(keys)
        if self.flip:
            images = np.stack([image[:, ::-1] if draw.random() < 0.5 else image for image, draw in zip(images, generators)])
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

    def test(self, part: str = "running_test") -> np.ndarray:
        """The images of a test, neither flipped nor augmented (the original does both, which only adds noise to the test).

        Args:
            part: 'running_test' or 'final_test'.

        Returns:
            float32 [n, height, width, 3] in [0, 1].
        """
        return transforms.to_float(self.all.images(getattr(self.split, part)))


def _prepare(image: np.ndarray, wanted: Sizes) -> np.ndarray:
    transforms.check_crop(image, wanted.crop)
    return transforms.prepare(image, *wanted.image, wanted.crop)


def open_images(params, flip: bool) -> LisImages:
    """The data of a run.

    Args:
        params: parameters of a LIS system; those without --augment and --nb_cache_* do neither.
        flip: whether training images are mirrored at random (G-LIS does, the two other programs do not).

    Raises:
        UserError: no data, no split yet, a split of another data set, a crop larger than an image.
    """
    wanted, values = sizes(params), params.values
    source = open_dataset(params.dataset, params.dataroot, params.lsun_class, max(wanted.image))
    if params.dataset == "digits" and not params.dataroot:
        parts = split.make(len(source), *DIGITS_TEST)
    else:
        again = split.command(params.dataset, params.dataroot, params.lsun_class)
        parts = split.read(params.dataroot, full_name(params.dataset, params.lsun_class), source, again)
    cache = (values.get("nb_cache_total", 0), values.get("nb_cache_lists", 1), values.get("cache_p_drop", 0.1))
    return LisImages(source, parts, wanted, flip, values.get("augment", "none"), cache, params.seed)


def make_split(dataset: str, dataroot: str, lsun_class: str = "bedroom", running: int = 200, final: int = 2000,
               seed: int = 0):
    """Splits a data set at random and writes `<dataroot>/data_index.npz`; what `tools/datasets.py split` does.

    Returns:
        (path, Split).

    Raises:
        UserError: no data, too few images, a folder that cannot be written.
    """
    if not dataroot:
        raise UserError("--dataroot: is not given; the split is written into the folder of the data")
    source = open_dataset(dataset, dataroot, lsun_class)
    parts = split.make(len(source), running, final, seed)
    return split.write(dataroot, parts, full_name(dataset, lsun_class), source), parts
