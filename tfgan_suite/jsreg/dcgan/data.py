"""Data of the `carpedm20_DCGAN` program (utils.py, model.py): which images, cropped, stretched, resized,
scaled."""
from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from tfgan_suite.data import catalog, digits, prepare, rgb
from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.lsun import LsunSource
from tfgan_suite.data.mnist import Mnist
from tfgan_suite.data.source import ArraySource, Source
from tfgan_suite.errors import UserError

OWN_SIZE = {"mnist": 28, "cifar10": 32}
CONDITIONAL = {"mnist": 10}
CELEBA_CROP = 108


def kind(params) -> tuple[int, int]:
    """(channels, classes): MNIST is grey and conditional, all others are RGB without labels."""
    classes = CONDITIONAL.get(params.dataset, 0)
    return (1, classes) if classes else (3, 0)


def output_size(params) -> tuple[int, int]:
    """(height, width) that the networks see.

    Raises:
        UserError: the networks cannot halve it, or the digits are not square in it.
    """
    height = params.output_height or OWN_SIZE.get(params.dataset, 64)
    width = params.output_width or height
    where = f"output_height={height}, output_width={width}"
    if kind(params)[1]:
        if height % 4 or width % 4:
            raise UserError(f"{where}: the conditional networks halve twice; choose multiples of 4")
    elif min(height, width) <= 8:
        raise UserError(f"{where}: too small to be halved four times; the least size is 9")
    if params.dataset == "digits" and height != width:
        raise UserError(f"{where}: digits are square; give one size for both")
    return height, width


def crop_size(params) -> tuple[int, int]:
    """(height, width) of the centre crop: 108x108 for celebA whatever is asked for, as in the original."""
    if params.dataset == "celebA":
        return CELEBA_CROP, CELEBA_CROP
    return params.input_height, params.input_width or params.input_height


def remark(params) -> str:
    """A line about options that have no effect, or ''."""
    asked = params.input_height, params.input_width or params.input_height
    if params.dataset != "celebA" or asked == (CELEBA_CROP, CELEBA_CROP):
        return ""
    return (f"Note: celebA is always cropped to {CELEBA_CROP}x{CELEBA_CROP}, as in the original; "
            f"input_height={asked[0]}, input_width={asked[1]} have no effect")


def prepared(image: np.ndarray, crop: tuple | None, size: tuple) -> np.ndarray:
    """Centre crop, contrast stretch of the crop to 0..255, bilinear resize: SciPy's `imresize` of a float
    image.

    Args:
        image: uint8 [H, W, C].
        crop, size: (height, width); no crop if None.

    Returns:
        uint8 [*size, C].

    Raises:
        UserError: the crop is larger than the image.
    """
    if crop is not None:
        (height, width), (h, w) = crop, image.shape[:2]
        if height > h or width > w:
            raise UserError(f"is {w}x{h}, smaller than the crop of {width}x{height}; choose a smaller "
                            "--input_height and --input_width (celebA: get the aligned pictures of 178x218)")
        image = prepare.centre_crop(image, *crop)
    return prepare.resize(prepare.stretch(image), *size)


def scaled(images: np.ndarray, unit: bool) -> np.ndarray:
    """uint8 -> float32, rounded once: [0, 1] for the sigmoid generator, else [-1, 1]."""
    return (images / 255.0 if unit else images / 127.5 - 1.0).astype(np.float32)


def of_size(source: ArraySource, size: tuple) -> Source:
    """The source itself: these sets are neither cropped nor resized.

    Raises:
        UserError: its images are not of the size that the networks see.
    """
    height, width = source.array.shape[1:3]
    if (height, width) != size:
        raise UserError(f"output_height={size[0]}, output_width={size[1]}: {source.name} has images of "
                        f"{height}x{width} and is not resized; leave these options out")
    return source


def source(params, size: tuple) -> Source:
    """The prepared images of `params.dataset`, uint8 of that size.

    Raises:
        UserError: they are not there (says how to get them), or of another size.
    """
    folder = Path(params.data_dir) / params.dataset
    whole = {"mnist": lambda: Mnist(folder, "all"), "cifar10": lambda: Cifar10(folder),
             "digits": lambda: digits.DigitsSource(size[0])}
    if params.dataset in whole:
        return of_size(whole[params.dataset](), size)
    known = params.dataset in catalog.DATASETS
    missing = catalog.help_for(params.dataset,
                               folder) if known else "put images there, or give another --dataset"
    if params.dataset == "lsun" and (folder / "bedroom_train_lmdb").is_dir():  # as it is downloaded
        images = LsunSource(folder, background=rgb.colour(params.background))
    else:
        images = FolderSource(folder, per_class=False, pattern=params.input_fname_pattern,
                              missing=f"{missing}; see --input_fname_pattern",
                              background=rgb.colour(params.background))
    return Prepared(images, partial(prepared, crop=crop_size(params), size=size),
                    f"resized to {size[1]}x{size[0]}")
