"""The data of `gan_64x64.py`: 64x64 pictures from folders, a training and a validation part, in the original's order."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tfgan_suite.data import ArraySource, Source, catalog, digits, prepare
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.lsun import LmdbImages
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.errors import UserError

SIDE = 64


@dataclass(frozen=True)
class DataSet:
    """Where a data set lies below its folder, and how a picture becomes 64x64.

    Attributes:
        train, valid: (folder, pattern) of the two parts, each the first that is there; `<folder>_lmdb` will do too.
        crop: side of the centre crop before the resize; 0: pictures must be 64x64 already.
        get: how to get it, `{}` stands for the folder.
    """

    train: tuple
    valid: tuple
    crop: int
    get: str = ""

    def help(self, name: str, folder: Path) -> str:
        """The end of the message when it is missing."""
        return self.get.format(folder) if self.get else catalog.help_for(name, folder)


DATASETS = {
    "celebA": DataSet((("train", "*.jpg"),), (("test", "*.jpg"), ("eval", "*.jpg")), 178),
    "lsun": DataSet((("bedroom_train", "**/*.webp"), ("train", "**/*.webp")),
                    (("bedroom_val", "**/*.webp"), ("eval", "**/*.webp")), 256),
    "ImageNet": DataSet((("train_64x64", "*.png"),), (("valid_64x64", "*.png"),), 0,
                        "get train_64x64.tar and valid_64x64.tar of 'Downsampled ImageNet 64x64' from "
                        "https://image-net.org/download-images (it asks you to register), then: "
                        "tar -xf train_64x64.tar -C {0}; tar -xf valid_64x64.tar -C {0}"),
}
CELEBA_TEST_SHARE = 19962 / 202599


def fit(image: np.ndarray, crop: int) -> np.ndarray:
    """uint8 [H, W, 3] -> [64, 64, 3]: centre crop, then Pillow's bilinear resize. Pictures smaller than the crop are enlarged
    first. With `crop` 0 the whole picture is resized, and its aspect ratio is not kept."""
    if crop:
        image = prepare.cover(image, crop, crop) if min(image.shape[:2]) < crop else prepare.centre_crop(image, crop, crop)
    return prepare.resize(image, SIDE, SIDE)


def as_it_is(image: np.ndarray) -> np.ndarray:
    """The picture itself.

    Raises:
        UserError: it is not 64x64.
    """
    if image.shape[:2] != (SIDE, SIDE):
        raise UserError(f"is {image.shape[1]}x{image.shape[0]}, this data set must be {SIDE}x{SIDE}; resize it")
    return image


def open_source(dataset: str, data_dir: str) -> Source:
    """The training part; its attribute `validation` is the other part.

    Args:
        dataset: 'celebA', 'lsun', 'ImageNet' or 'digits'.
        data_dir: the folder that holds `<dataset>`, or that folder itself.

    Raises:
        UserError: a part is not there (the line gives the address, the folder and the command), or a picture is unusable.
    """
    if dataset == "digits":
        pictures, labels = digits.arrays(SIDE)
        return _split(ArraySource(pictures, labels, "digits", digits.CLASSES), 1600)
    about, root = DATASETS[dataset], Path(data_dir).expanduser()
    if (root / dataset).is_dir() or not _part(root, about.train):
        root = root / dataset
    train, valid = _part(root, about.train), _part(root, about.valid)
    function = partial(fit, crop=about.crop) if about.crop else as_it_is
    flat = _part(root, ((".", "*.jpg"), ("img_align_celeba", "*.jpg"))) if dataset == "celebA" and not train else None
    if flat:
        source = Prepared(flat, function, "(64x64)")
        return _split(source, len(source) - max(1, round(len(source) * CELEBA_TEST_SHARE)))
    for part, found, (folder, pattern) in (("training", train, about.train[0]), ("validation", valid, about.valid[0])):
        if not found:
            raise UserError(f"{root}: no {part} pictures {folder}/{pattern}; {about.help(dataset, root)}, or give --data_dir")
    source = Prepared(train, function, "(64x64)")
    source.validation = Prepared(valid, function, "(64x64)")
    return source


def _part(root: Path, choices: tuple) -> Source | None:
    for folder, pattern in choices:
        if (root / f"{folder}_lmdb" / "data.mdb").is_file():  # LSUN as it is downloaded
            return LmdbImages(root / f"{folder}_lmdb")
        if (root / folder).is_dir() and next((root / folder).glob(pattern), None):
            return FolderSource(root / folder, per_class=False, pattern=pattern, background=WHITE)
    return None


class _Slice(Source):
    """Images start..stop-1 of another source."""

    def __init__(self, source: Source, start: int, stop: int, part: str):
        self.source, self.start, self.stop, self.name = source, start, stop, f"{source.name}, {part} part"
        self.labels, self.classes = None if source.labels is None else source.labels[start:stop], source.classes

    def __len__(self):
        return self.stop - self.start

    def image(self, index):
        return self.source.image(self.start + index)

    def images(self, indices):
        return self.source.images(self.start + np.asarray(indices))


def _split(source: Source, count: int) -> Source:
    """The first `count` images for training, the others for validation (CelebA's official test part is its end too)."""
    train = _Slice(source, 0, count, "training")
    train.validation = _Slice(source, count, len(source), "validation")
    return train
