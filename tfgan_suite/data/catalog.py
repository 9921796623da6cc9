"""The public data sets that the originals used: where they come from, where they go, how to get them.

Nothing here imports TensorFlow or opens a file: the commands print from it.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfgan_suite.errors import quoted


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Args:
        url: its address.
        name: its file name.
        size: bytes, or 0 where the publisher does not say.
        digest: 'md5:...', 'sha256:...' or 'sha512:...', or '' where no trusted one is known (a line says so
            after the download).
        unpack: 'zip', 'tar', 'gz' (a single file), or '' to leave it as it is.
    """

    url: str
    name: str
    size: int = 0
    digest: str = ""
    unpack: str = ""


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Args:
        name: as the user writes it.
        about: one line.
        home: the page that offers it.
        archives: what `download` fetches; empty where one must register or ask by hand.
        top: the folder in the archive whose content goes straight into the data set's folder.
        command: that gets it, where that is not `tools/datasets.py download`.
    """

    name: str
    about: str
    home: str
    archives: tuple = ()
    top: str = ""
    command: str = ""


_DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"
_LSUN = "http://dl.yf.io/lsun/scenes/{}_lmdb.zip"
_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/{}.gz"

DATASETS = {d.name: d for d in (
    DataSet("celebA", "202,599 aligned faces of 178x218", "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            (
        Archive(_DRIVE.format("0B7EVK8r0v71pZjFTYXZWM3FlRnM"), "img_align_celeba.zip", 1443490838,
                "md5:00d2c5bc6d35e252742224ab0c1e8fcb", "zip"),), "img_align_celeba"),
    DataSet("lsun", "LSUN bedrooms, 3 million photographs in LMDB files (43 GB)", "https://www.yf.io/p/lsun",
            (
        Archive(_LSUN.format("bedroom_train"), "bedroom_train_lmdb.zip", unpack="zip"),
        Archive(_LSUN.format("bedroom_val"), "bedroom_val_lmdb.zip", unpack="zip"),
        Archive(_LSUN.format("test"), "test_lmdb.zip", unpack="zip"))),
    DataSet("mnist", "70,000 handwritten digits of 28x28", "http://yann.lecun.com/exdb/mnist/", (
        Archive(_MNIST.format("train-images-idx3-ubyte"), "train-images-idx3-ubyte.gz", 9912422,
                "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", "gz"),
        Archive(_MNIST.format("train-labels-idx1-ubyte"), "train-labels-idx1-ubyte.gz", 28881,
                "md5:d53e105ee54ea40749a09fcbcd1e9432", "gz"),
        Archive(_MNIST.format("t10k-images-idx3-ubyte"), "t10k-images-idx3-ubyte.gz", 1648877,
                "md5:9fb629c4189551a2d022fa330f9573f3", "gz"),
        Archive(_MNIST.format("t10k-labels-idx1-ubyte"), "t10k-labels-idx1-ubyte.gz", 4542,
                "md5:ec29112dd5afa0611ce80d1b7f02629c", "gz"))),
    DataSet("cifar10", "60,000 photographs of 32x32 in ten classes",
            "https://www.cs.toronto.edu/~kriz/cifar.html", (
        Archive("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "cifar-10-python.tar.gz",
                170498071,
                "md5:c58f30108f718f92721af3b95e74349a", "tar"),), "cifar-10-batches-py"),
    DataSet("anime", "anime faces, as alenmora/ppgan used them", "https://github.com/alenmora/ppgan", (
        Archive(_DRIVE.format("1CrpVlVx12t4yU5q2WXe8lQPtTKjbLzez"), "anime_face.zip", unpack="zip"),)),
    DataSet("emoji", "3,786 colour pictures of 64x64: Twemoji, CC-BY 4.0", "https://www.npmjs.com/package/"
            "emoji-datasource-twitter", command="tools/datasets.py emoji"),
    DataSet("imagenet", "ILSVRC2012, 1.28 million photographs in 1000 classes",
            "https://image-net.org/download.php"),
)}


def help_for(name: str, folder) -> str:
    """What to do about a missing data set, for the end of an error message: address, folder and command."""
    known = DATASETS[name]
    if known.command:
        return f"get it with '{known.command}' (from {known.home}), or put it there yourself"
    if known.archives:
        return (f"get it with 'tools/datasets.py download {name} {quoted(folder)}' (from {known.home}), "
                "or put it there yourself")
    return (f"get it from {known.home} (it asks you to register), unpack it and prepare it with "
            f"'tools/datasets.py {name} SOURCE {quoted(folder)}'")


def advice(path, otherwise: str = "put the images there or give another folder") -> str:
    """What to do about a missing folder or list file: how a data set of that name is got, or `otherwise`."""
    name = Path(path).stem
    return help_for(name, path) if name in DATASETS else otherwise
