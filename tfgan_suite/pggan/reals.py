"""The real images of a run: opened and checked before training, then a batch for every iteration."""
from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_suite.data import cifar10, digits, readable, rgb
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.labelled import check_labels
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Mapped, Source
from tfgan_suite.errors import UserError, one_line
from tfgan_suite.pggan import prepared
from tfgan_suite.pggan.pyramid import Pyramid, chosen, real_batch, resized
from tfgan_suite.pggan.schedule import Moment

MISSING = "put images below it, or give another --data_path ('digits' needs no files)"


def open_source(params) -> Source:
    """The real images: 'digits', CIFAR-10, what `tools/datasets.py pyramid` prepared, or a folder with images
    in sub-folders (or in itself).

    Raises:
        UserError: nothing there, images that cannot be read, images smaller than endRes without `upscale`, or
            no labels where `classes` asks for some.
    """
    path = params.data_path
    if path == "digits":
        source: Source = digits.DigitsSource(params.endRes)
    elif prepared.is_at(path):
        source = prepared.PreparedSource(path, params)
    elif cifar10.is_at(path):
        source = cifar10.Cifar10(path)
        _check_sides(params, [source.array.shape[2:0:-1]], [source.name])
    else:
        source = _folder(path, rgb.colour(params.background))
        _check_sides(params, in_parallel(side_of, source.paths, "looking at sizes"), source.paths)
    if params.classes:
        if source.labels is None:
            raise UserError(f"{source.name}: has no labels, and classes={params.classes} asks for them; make "
                            "a folder for each class there")
        source.labels = check_labels(source.labels, params.classes, source.name)
    return source


def _folder(path: str, background: tuple) -> FolderSource:
    try:
        source = FolderSource(path, per_class=True, missing=MISSING, background=background)
    except UserError:
        source = FolderSource(path, per_class=False, missing=MISSING, background=background)
    broken = readable.look(source, range(len(source)))
    if len(broken) == 1:
        raise UserError(broken[0])
    for line in broken:
        print(one_line(f"cannot be read: {line}"), file=sys.stderr)
    if broken:
        raise UserError(f"{source.name}: {len(broken)} of {len(source)} images cannot be read; delete them "
                        "or put good copies in their places")
    return source


def side_of(path) -> tuple[int, int]:
    """(width, height) of an image file, from its beginning.

    Raises:
        UserError: it says none.
    """
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read ({error}); delete it or put a good copy in its "
                        f"place") from None


def _check_sides(params, sides: list, names) -> None:
    small = [i for i, side in enumerate(sides) if max(side) < params.endRes]
    if small and not params.upscale:
        width, height = sides[small[0]]
        raise UserError(f"endRes={params.endRes} is above the images of {params.data_path}: {len(small)} of "
                        f"{len(sides)} are smaller, such as {names[small[0]]} ({width}x{height}); give a "
                        "smaller --endRes, or --upscale to enlarge them as the original does")


def described(source: Source) -> str:
    """A line about how many images there are, of which folders."""
    folders = Counter(str(Path(path).parent) for path in source.paths)
    shown = [f"{name} {count}" for name, count in sorted(folders.items())]
    more = f", {len(shown) - 6} more folders" if len(shown) > 6 else ""
    return f"{len(source)} images of {source.name}" + (f": {', '.join(shown[:6])}{more}" if shown else "")


class Reals:
    """Batches of a run's real images.

    Args:
        params: of the run.
        levels: all that the run has, ascending.
        steps: critic steps of an iteration.
    """

    def __init__(self, params, levels, steps: int):
        self.params, self.levels, self.steps = params, tuple(levels), steps
        self._pyramid: Pyramid | prepared.Prepared | None = None

    def at_the_end(self, source: Source) -> Source:
        """The images at the last resolution, made as for training: the aspect ratio is not kept, inputFilter,
        nChannels."""
        p = self.params
        return Mapped(source, lambda picture: resized(picture, p.endRes, p.inputFilter, p.nChannels),
                      f"{p.endRes} {p.inputFilter} {p.nChannels}")

    def pyramid(self, source: Source) -> Pyramid | prepared.Prepared:
        """The resized images of `source`; one for the run."""
        if self._pyramid is None or self._pyramid.source is not source:
            p = self.params
            if isinstance(source, prepared.PreparedSource):
                self._pyramid = prepared.Prepared(source, p.mirror)
            else:
                self._pyramid = Pyramid(source, [4 << level for level in self.levels], p.inputFilter,
                                        p.nChannels,
                                        None if p.cache_gb is None else p.cache_gb * 2**30, p.mirror)
        return self._pyramid

    def batch(self, moment: Moment, source: Source) -> dict[str, np.ndarray]:
        """'reals' [n, critic steps, h, w, c] in [-1, 1]; with classes 'labels' int32 [n, critic steps] of
        them, and 'wanted' [n] for the generator, which are those of images drawn anew."""
        p, step = self.params, moment.iteration
        parts = [real_batch(self.pyramid(source), moment.batch, moment.resolution, p.seed, step, i)
                 for i in range(self.steps)]
        found = {"reals": np.stack(parts, 1)}
        if p.classes:
            def labels(key):
                return source.labels[chosen(len(source), moment.batch, p.seed, step, key)[0]]

            found["labels"] = np.stack([labels(i) for i in range(self.steps)], 1)
            found["wanted"] = labels("generator")
        return found
