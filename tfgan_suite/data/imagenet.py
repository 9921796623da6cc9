"""ImageNet: its offline preparation, and the prepared set as folders per class or as a list of paths with
labels."""
from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

from tfgan_suite.data import catalog, prepare
from tfgan_suite.data.folder import FolderSource, Prepared, read_rgb
from tfgan_suite.data.lists import read_list
from tfgan_suite.data.pack import PackedFolder, is_pack
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source, stamp_of_files
from tfgan_suite.errors import UserError, naming
from tfgan_suite.experiment import whole
from tfgan_suite.files import archive

MOST_CLASSES = 1 << 17
LIST = "image_list.txt"
BAD = "bad_images.txt"


def _crop(image: np.ndarray, size: int) -> np.ndarray:
    return prepare.resize(prepare.square_crop(image), size, size, "BICUBIC")


def _original(image: np.ndarray, size: int) -> np.ndarray:
    return prepare.resize(prepare.stretch(image), size, size, "BICUBIC")


def _authors(image: np.ndarray, size: int) -> np.ndarray:
    if min(image.shape[:2]) < size:
        raise UserError(f"has a side below {size} pixels")
    return prepare.cover(image, size, size)


@dataclass(frozen=True)
class Mode:
    """A way to prepare the set.

    Args:
        function: (uint8 [H, W, 3], size) -> uint8 [size, size, 3].
        size: the size it is meant for.
        quality: of the JPEG files.
        about: one line.
    """

    function: Callable
    size: int
    quality: int
    about: str


MODES = {
    "crop": Mode(_crop, 128, 95, "the middle square, resized"),
    "original": Mode(_original, 128, 75, "as the TensorFlow SNGAN: contrast stretched, aspect ratio ignored"),
    "authors": Mode(_authors, 256, 95,
                    "as pfnet-research/sngan_projection: small images left out, else the middle, resized"),
}


def _convert(path: Path, target: Path, mode: Mode, size: int, background: tuple) -> str:
    """Prepares one image; returns what is wrong with it, or ''. An image that is there already is left
    alone."""
    if target.exists():
        return ""
    try:
        whole = read_rgb(path, background=background)
        with naming(path):
            picture = mode.function(whole, size)
    except UserError as error:
        return " ".join(str(error).split())
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=mode.quality)
    archive.write_bytes(target, buffer.getvalue())
    return ""


def convert(
    source, target, mode: str = "crop", size: int = 0, background: tuple = WHITE
) -> tuple[int, list[str]]:
    """Prepares a folder of one folder per class; can be stopped and run again.

    Writes `target/<class>/<name>.JPEG`, `image_list.txt` (lines 'class/name.JPEG label', classes sorted) and,
    if there are any, `bad_images.txt` with the images that were left out and why.

    Args:
        mode: one of `MODES`.
        size: side of the results (0: the mode's own).
        background: in place of transparent parts.

    Returns:
        (images prepared, lines of `bad_images.txt`).

    Raises:
        UserError: no images, target inside the source, or it cannot be written.
    """
    source, target, chosen = Path(source), Path(target), MODES[mode]
    if target.resolve().is_relative_to(source.resolve()):
        raise UserError(f"{target}: lies inside {source}; give a folder outside of it")
    found = FolderSource(source, per_class=True,
                         missing=f"get ImageNet from {catalog.DATASETS['imagenet'].home}")
    names = [f"{found.classes[label]}/{path.stem}.JPEG" for path, label in zip(found.paths, found.labels)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{source}: two images would become {twice[0]}; rename one of them")
    for name in found.classes:
        _make_folder(target / name)

    def work(index: int) -> str:
        return _convert(found.paths[index], target / names[index], chosen, size or chosen.size, background)

    problems = in_parallel(work, range(len(names)), "preparing images")
    lines = [f"{name} {label}\n" for name, label, problem in zip(names, found.labels, problems)
             if not problem]
    archive.write_bytes(target / LIST, "".join(lines).encode())
    bad = [problem for problem in problems if problem]
    if bad:
        archive.write_bytes(target / BAD, "\n".join([*bad, ""]).encode())
    return len(lines), bad


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot make the folder: {error.strerror}") from None


class LabelledList(Source):
    """Images of a text file with lines 'path label', as caffe's `train.txt`.

    Args:
        listing: the text file.
        root: folder to which its paths are relative.
        names: a text file of paths, one a line (the original's `filenames.txt`): only these are used, in its
            order.
        background: what is seen through transparent parts of the images.

    Raises:
        UserError: a line without a label, or no list.
    """

    def __init__(self, listing, root, names=None, background: tuple = WHITE):
        self.name, self.background, label_of = str(listing), background, {}
        for number, line in read_list(listing):
            path, _, label = line.rpartition(" ")
            if not path or whole(label) is None or whole(label) >= MOST_CLASSES:
                raise UserError(f"{listing}: line {number} is not 'path label', label < {MOST_CLASSES}; "
                                "correct it or prepare the set again")
            label_of[path.strip()] = int(label)
        chosen = list(label_of) if names is None else [name for _, name in read_list(names)]
        unknown = [name for name in chosen if name not in label_of]
        if unknown:
            raise UserError(f"{names}: lists {unknown[0]}, which has no label in {listing}; take it out, or "
                            f"delete {Path(names).name} to use all of that list")
        self.paths = [Path(root) / name for name in chosen]
        self.labels = np.array([label_of[name] for name in chosen], np.int32)
        self.classes = tuple(str(i) for i in range(max(label_of.values()) + 1))
        if not self.paths[0].is_file():
            raise UserError(f"{self.paths[0]} (line 1 of {listing}): no such file; the list belongs to "
                            f"another folder")

    def __len__(self):
        return len(self.paths)

    def image(self, index):
        return read_rgb(self.paths[index], background=self.background)

    def describe(self, index):
        return str(self.paths[index])

    def stamp(self):
        return stamp_of_files(self.paths, self.background)


def locate(root, size: int, background: tuple = WHITE, per_class: bool = True) -> Source:
    """The training images as they are; see `open_source`.

    Args:
        background: what is seen through transparent parts.
        per_class: False: a folder of images needs no folder per class, and gives no labels.
    """
    if is_pack(root):
        return PackedFolder(root, per_class, background)
    root = Path(root)
    resized, names = root / f"resized_{size}", root / "filenames.txt"
    if (root / "caffe_ilsvrc12" / "train.txt").is_file() and resized.is_dir():
        return LabelledList(root / "caffe_ilsvrc12" / "train.txt", resized, names
                            if names.is_file() else None, background)
    if (root / LIST).is_file():
        return LabelledList(root / LIST, root, background=background)
    return FolderSource(root, per_class=per_class, missing=catalog.help_for("imagenet", root),
                        background=background)


def open_source(root, size: int, budget: int | None = None) -> Source:
    """The training images as uint8 [size, size, 3] with labels.

    What may be in `root`: the TensorFlow SNGAN's layout (`caffe_ilsvrc12/train.txt`, `resized_<size>/`, and
    maybe `filenames.txt` with the images of these that are used), what `convert` wrote (`image_list.txt`), or
    any folder with one folder per class. Images of another size are cropped to their middle square and
    resized (bilinear).

    Raises:
        UserError: none of these, or a broken image.
    """
    fit = partial(_fit, size=size)
    return Prepared(locate(root, size), fit, f"at {size}x{size}", budget)


def _fit(image: np.ndarray, size: int) -> np.ndarray:
    return prepare.resize(prepare.square_crop(image), size, size)
