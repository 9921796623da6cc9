"""The data of `gan_64x64.py`: 64x64 pictures from folders, a training and a validation part, in the
original's order."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tfgan_suite.data import ArraySource, Source, catalog, digits, prepare
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.lsun import LmdbImages
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.errors import UserError, quoted
from tfgan_suite.experiment import nearest

SIDE = 64


@dataclass(frozen=True)
class DataSet:
    """Where a data set lies below its folder, and how a picture becomes 64x64.

    Attributes:
        train, valid: (folder, pattern) of the two parts, each the first that is there; `<folder>_lmdb` will
            do too.
        crop: side of the centre crop before the resize; 0: pictures must be 64x64 already.
        get: how to get it, `{}` stands for the folder.
    """

    train: tuple
    valid: tuple
    crop: int
    get: str = ""

    def help(self, name: str, folder: Path) -> str:
        """The end of the message when it is missing."""
        return self.get.format(quoted(folder)) if self.get else catalog.help_for(name, folder)


DATASETS = {
    "celebA": DataSet((("train", "*.jpg"),), (("test", "*.jpg"), ("eval", "*.jpg")), 178),
    "lsun": DataSet((("bedroom_train", "**/*.webp"), ("train", "**/*.webp")),
                    (("bedroom_val", "**/*.webp"), ("eval", "**/*.webp")), 256),
    "ImageNet": DataSet((("train_64x64", "*.png"),), (("valid_64x64", "*.png"),), 0,
                        "get train_64x64.tar and valid_64x64.tar of 'Downsampled ImageNet 64x64' from "
                        "https://image-net.org/download-images (it asks you to register), then: "
                        "tar -xf train_64x64.tar -C {0}; tar -xf valid_64x64.tar -C {0}"),
}
VALIDATION = ("valid", "val", "validation", "test", "eval")  # names of a user's folder of validation pictures
CELEBA_TEST_SHARE = 19962 / 202599


def fit(image: np.ndarray, crop: int | None) -> np.ndarray:
    """uint8 [H, W, 3] -> [64, 64, 3]: centre crop, then Pillow's bilinear resize; pictures of 64x64 stay as
    they are.

    Args:
        crop: side of the crop, to which smaller pictures are enlarged first. None: the largest square; 0: the
            whole picture, whose aspect ratio is not kept.
    """
    if image.shape[:2] == (SIDE, SIDE):
        return image
    if crop is None:
        image = prepare.square_crop(image)
    elif crop:
        image = prepare.cover(image, crop,
                              crop) if min(image.shape[:2]) < crop else prepare.centre_crop(image, crop, crop)
    return prepare.resize(image, SIDE, SIDE)


def as_it_is(image: np.ndarray) -> np.ndarray:
    """The picture itself.

    Raises:
        UserError: it is not 64x64.
    """
    if image.shape[:2] != (SIDE, SIDE):
        raise UserError(f"is {image.shape[1]}x{image.shape[0]}, this data set must be {SIDE}x{SIDE}; resize "
                        f"it")
    return image


def open_source(dataset: str, data_dir: str, crop: int | None = None, batch: int = 1,
                background: tuple = WHITE) -> Source:
    """The training part; its attribute `validation` is the other part.

    Args:
        dataset: 'celebA', 'lsun', 'ImageNet', 'digits', or the name of a folder.
        data_dir: the folder that holds `<dataset>`; of the known sets also that folder itself.
        crop: side of the crop; None: the data set's own.
        batch: where the validation part is split off a folder, it has so many pictures at least.
        background: what is seen through transparent parts of pictures.

    Raises:
        UserError: a part is not there (the line gives the address, the folder and the command), or a picture
            is unusable.
    """
    if dataset == "digits":
        pictures, labels = digits.arrays(SIDE)
        return _split(ArraySource(pictures, labels, "digits", digits.CLASSES), np.arange(1600, len(pictures)))
    root = Path(data_dir).expanduser()
    if dataset not in DATASETS:
        return _own(root, dataset, partial(fit, crop=crop), batch, background)
    about = DATASETS[dataset]
    if (root / dataset).is_dir() or not _part(root, about.train, background):
        root = root / dataset
    train, valid = (_part(root, choices, background) for choices in (about.train, about.valid))
    crop = about.crop if crop is None else crop
    function = as_it_is if dataset == "ImageNet" and not crop else partial(fit, crop=crop)
    flat = None
    if dataset == "celebA" and not train:
        flat = _part(root, ((".", "*.jpg"), ("img_align_celeba", "*.jpg")), background)
    if flat:  # the official test part is its end
        held = max(1, round(len(flat) * CELEBA_TEST_SHARE))
        return _split(Prepared(flat, function, "(64x64)"), np.arange(len(flat) - held, len(flat)))
    for part, found, (folder, pattern) in (("training", train, about.train[0]),
                                           ("validation", valid, about.valid[0])):
        if not found:
            raise UserError(f"{root}: no {part} pictures {folder}/{pattern}; {about.help(dataset, root)}, or "
                            f"give --data_dir")
    return _both(train, valid, function)


def _own(root: Path, dataset: str, function, batch: int, background: tuple) -> Source:
    """The pictures of a user's folder, whatever their names end in: its `train` folder or all of them."""
    folder = root / dataset
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; put pictures there, or give another --data_dir or "
                        f"--dataset ({', '.join((*DATASETS, 'digits'))}){nearest(dataset, DATASETS)}")
    train = folder / "train" if (folder / "train").is_dir() else folder
    pictures = FolderSource(train, per_class=False, background=background)
    valid = next((folder / name for name in VALIDATION if train != folder and (folder / name).is_dir()), None)
    if valid is not None:
        return _both(pictures, FolderSource(valid, per_class=False, background=background), function)
    held = min(max(len(pictures) // 10, batch), len(pictures) // 2)
    if held < 1:
        raise UserError(f"{train}: holds one picture only, and some must be held out; put more there, or "
                        f"give another --dataset")
    return _split(Prepared(pictures, function, "(64x64)"),
                  np.linspace(0, len(pictures) - 1, held).astype(int))


def _both(train: Source, valid: Source, function) -> Source:
    source = Prepared(train, function, "(64x64)")
    source.validation = Prepared(valid, function, "(64x64)")
    return source


def _part(root: Path, choices: tuple, background: tuple) -> Source | None:
    for folder, pattern in choices:
        if (root / f"{folder}_lmdb" / "data.mdb").is_file():  # LSUN as it is downloaded
            return LmdbImages(root / f"{folder}_lmdb", background)
        if (root / folder).is_dir() and next((root / folder).glob(pattern), None):
            return FolderSource(root / folder, per_class=False, pattern=pattern, background=background)
    return None


class _Some(Source):
    """Images of another source, by their numbers there."""

    def __init__(self, source: Source, numbers: np.ndarray, part: str):
        self.source, self.numbers, self.name = source, numbers, f"{source.name}, {part} part"
        self.labels, self.classes = None if source.labels is None else source.labels[numbers], source.classes

    def __len__(self):
        return len(self.numbers)

    def image(self, index):
        return self.source.image(self.numbers[index])

    def images(self, indices):
        return self.source.images(self.numbers[np.asarray(indices)])


def _split(source: Source, held: np.ndarray) -> Source:
    """All images but those numbered `held` for training, these for validation."""
    train = _Some(source, np.setdiff1d(np.arange(len(source)), held), "training")
    train.validation = _Some(source, held, "validation")
    return train
