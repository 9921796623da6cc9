"""Real images with labels, at the size of the networks, by the name of the data set."""
from __future__ import annotations

import numpy as np

from tfgan_suite.data import imagenet
from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.digits import DigitsSource
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.prepare import resize, square_crop
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError


def _cifar10(folder: str, size: int, part: str) -> Source:
    source = Cifar10(folder, part)
    return source if size == 32 else _prepared(source, size)


def _prepared(source: Source, size: int) -> Source:
    """The middle square of each image, resized (without the stretch of contrast that SciPy's `imresize` gave the authors)."""
    return Prepared(source, lambda image: resize(square_crop(image), size, size), f"at {size}x{size}")


def _folder(folder: str, size: int, part: str) -> Source:
    return _prepared(FolderSource(folder, per_class=True, missing="make a folder per class there", background=WHITE), size)


def _flat(folder: str, size: int) -> Source:
    return _prepared(FolderSource(folder, per_class=False, background=WHITE), size)


def _imagenet(folder: str, size: int, part: str) -> Source:
    return imagenet.open_source(folder, size)


def _digits(folder: str, size: int, part: str) -> Source:
    return DigitsSource(size)


SOURCES = {"cifar10": _cifar10, "folder": _folder, "imagenet": _imagenet, "digits": _digits}


def open_source(dataset: str, folder: str, size: int, classes: int, part: str = "train") -> Source:
    """The images of a data set, uint8 [size, size, 3], with labels 0..classes-1.

    Args:
        classes: how many the networks have; 0 if labels are not used.

    Raises:
        UserError: not there, unreadable, or with other classes.
    """
    if dataset == "folder" and not classes:
        return _flat(folder, size)
    source = SOURCES[dataset](folder, size, part)
    if classes:
        check_labels(source.labels, classes, source.name)
        if source.classes and len(source.classes) != classes:
            raise UserError(f"{source.name}: has {len(source.classes)} classes, this experiment {classes}; set its number of "
                            f"classes to {len(source.classes)}")
    return source


def check_labels(labels, classes: int, where: str) -> np.ndarray:
    """Labels as int32 [n].

    Raises:
        UserError: a label outside 0..classes-1; says which.
    """
    labels = np.asarray(labels)
    wrong = (labels < 0) | (labels >= classes)
    if np.any(wrong):
        raise UserError(f"{where}: label {int(labels[wrong][0])} is out of range; this experiment has classes 0 to "
                        f"{classes - 1}")
    return labels.astype(np.int32)
