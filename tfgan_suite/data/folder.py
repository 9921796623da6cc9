"""Images in a folder, or in one folder per class (the semantics of torchvision's ImageFolder)."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tfgan_suite.data import readable, rgb
from tfgan_suite.data.beside import Beside, problem, workers
from tfgan_suite.data.kept import KeptRows
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.rgb import read_rgb
from tfgan_suite.data.source import Source, stamp_of, stamp_of_files
from tfgan_suite.errors import UserError, naming
from tfgan_suite.files import memory

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def _walk(root: Path) -> Iterator[Path]:
    """All files below `root`, sorted by folder and name; hidden ones and what macOS adds to archives are left
    out."""
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(d for d in folders if not d.startswith(".") and d != "__MACOSX")
        yield from (Path(folder, f) for f in sorted(files) if not f.startswith("."))


def find_images(root: Path, extensions: tuple = EXTENSIONS) -> list[Path]:
    """All image files below `root` by their names, sorted by folder and name; hidden ones are left out."""
    return [path for path in _walk(root) if path.name.lower().endswith(extensions)]


def find_pictures(root: Path) -> list[Path]:
    """Like `find_images`, with all files that begin like a picture, whatever their names end in."""
    return [p for p in _walk(root) if p.name.lower().endswith(EXTENSIONS)
            or (p.is_file() and rgb.looks_like_a_picture(p))]


def remark_on_others(root: Path, images: list[Path]) -> None:
    """A line on stderr about pictures below `root` that are left out because of their names."""
    used = set(images)
    others = [p for p in _walk(root) if p not in used and not p.name.lower().endswith(EXTENSIONS) and
              p.is_file() and rgb.looks_like_a_picture(p)]
    if others:
        endings = sorted({p.suffix or "none" for p in others})
        print(f"left out: {len(others)} files of {root} that are pictures, but of other endings "
              f"({', '.join(endings)}) than {', '.join(EXTENSIONS)}; rename or convert them to use "
              "them", file=sys.stderr)


class FolderSource(Source):
    """The images of a folder and its sub-folders, decoded when asked for. Wrap it in `Prepared` to keep them
    in memory.

    Args:
        root: the folder.
        per_class: True: only images in sub-folders count, and each sub-folder is a class (label = its place
            in sorted order). False: all images, no labels. None: True if there are images in sub-folders
            only, else False.
        pattern: a glob pattern below `root` (such as '*.jpg' or '**/*.webp') in place of the known
            extensions.
        missing: what to do if there is nothing, for the message.
        background: what is seen through transparent parts of the images; None: the colours that are stored
            under them, as torchvision's reader shows them.

    Raises:
        UserError: no such folder, or no images in it.
    """

    def __init__(self, root, per_class: bool | None = None, pattern: str | None = None,
                 missing: str = "put the images there or give another folder",
                 background: tuple | None = rgb.WHITE):
        self.root, self.name, self.background = Path(root), str(root), background
        if not self.root.is_dir():
            raise UserError(f"{root}: no such folder; {missing}")
        self.paths = self._matching(pattern) if pattern else find_images(self.root)
        direct = [p for p in self.paths if p.parent == self.root]
        if per_class is None:
            per_class = not direct
        if per_class:
            self.paths = [p for p in self.paths if p.parent != self.root]
        if not self.paths:
            kind = (
                f"no file matches '{pattern}'"
                if pattern
                else "no images" + " in sub-folders" * bool(per_class and direct)
            )
            raise UserError(f"{root}: {kind}; {missing}")
        if not pattern:
            remark_on_others(self.root, find_images(self.root) if per_class else self.paths)
        if per_class:
            owners = [p.relative_to(self.root).parts[0] for p in self.paths]
            self.classes = tuple(sorted(set(owners)))
            number = {name: i for i, name in enumerate(self.classes)}
            self.labels = np.array([number[owner] for owner in owners], np.int32)

    def _matching(self, pattern: str) -> list[Path]:
        try:
            return sorted(p for p in self.root.glob(pattern) if p.is_file() and not p.name.startswith("."))
        except (ValueError, NotImplementedError) as error:  # '' and absolute patterns
            raise UserError(f"{self.root}: '{pattern}' is not a usable pattern: {error}") from None

    def __len__(self):
        return len(self.paths)

    def image(self, index):
        return read_rgb(self.paths[index], background=self.background)

    def describe(self, index):
        return str(self.paths[index])

    def stamp(self):
        return stamp_of_files(self.paths, self.background)


class Prepared(Source):
    """Another source's images after a fixed preparation, in memory as uint8 where they fit.

    Beside the training all images are prepared that fit into `budget`, and the files of the others are looked
    at, so that a broken one is found then; what is wrong with a small set is told at once. Until then, and
    beyond the budget, images are prepared when they are asked for.

    Args:
        source: where the images come from.
        function: uint8 [H, W, C] -> uint8 [h, w, c], of one shape for all images.
        name: of the preparation, for messages.
        budget: bytes that may be kept (default: half of the free memory).
        ahead: False: nothing is prepared or looked at before it is asked for.

    Raises:
        UserError: an image that cannot be read or prepared, or that comes out with another shape; names it;
            here, or when images are asked for.
    """

    def __init__(self, source: Source, function: Callable[[np.ndarray], np.ndarray], name: str = "",
                 budget: int | None = None, ahead: bool = True):
        self.source, self.function = source, function
        self.name = f"{source.name} {name}".strip()
        self.labels, self.classes = source.labels, source.classes
        self.shape = None
        self.shape = self._prepare(0).shape
        self._kept = KeptRows(len(source), self.shape, memory.budget() if budget is None else budget)
        self._beside = Beside(source.name, len(source), self._look) if ahead else None

    def _look(self, numbers: Sequence[int]) -> list[str]:
        """Prepares those that are kept, looks at the files of the others; what is wrong with them."""
        kept = [i for i in numbers if self._kept.fits(i) and i not in self._kept]
        found = in_parallel(lambda i: problem(self._keep, i), kept, "", workers())
        others = [i for i in numbers if not self._kept.fits(i)]
        return ([text for text in found if text] + self.source.changed(kept)
                + readable.look(self.source, others))

    def stamp(self):
        return stamp_of(self.source.stamp(), self.name, self.shape)

    @property
    def in_memory(self) -> bool:
        """Whether all images are kept once they have been prepared."""
        return self._kept.slots == len(self.source)

    def _prepare(self, index: int) -> np.ndarray:
        image = self.source.image(index)
        with naming(self.describe(index)):
            prepared = self.function(image)
        if self.shape is not None and prepared.shape != self.shape:
            raise UserError(f"{self.describe(index)}: has shape {prepared.shape} where the first image has "
                            f"{self.shape}; all images of a set must have one shape, or be cropped or "
                            "resized to one")
        return prepared

    def _keep(self, index: int) -> np.ndarray:
        if index in self._kept:
            return self._kept[index]
        prepared = self._prepare(index)
        self._kept.add(index, prepared)
        return prepared

    def _check(self) -> None:
        if self._beside is not None:
            self._beside.check()

    def describe(self, index: int) -> str:
        return self.source.describe(index)

    def __len__(self):
        return len(self.source)

    def image(self, index):
        self._check()
        return self._keep(int(index))

    def images(self, indices):
        self._check()
        numbers = [int(i) for i in indices]
        missing = [i for i in dict.fromkeys(numbers) if i not in self._kept]
        fresh = dict(zip(missing, in_parallel(self._keep, missing, ""))) if missing else {}
        return np.stack([fresh[i] if i in fresh else self._kept[i] for i in numbers])
