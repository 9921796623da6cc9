"""What every source of real images offers."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import numpy as np


class Source:
    """A numbered set of images.

    Attributes:
        name: where it comes from, for messages.
        labels: int32 [n], or None.
        classes: class names, or an empty tuple.
        validation: the images that are held out, or None.
        paths: files of the images, where each has one of its own.
    """

    name: str = ""
    labels: np.ndarray | None = None
    classes: tuple = ()
    validation: Source | None = None
    paths: list | tuple = ()

    def __len__(self) -> int:
        raise NotImplementedError

    def image(self, index: int) -> np.ndarray:
        """Image `index`, uint8 [H, W, 3], as decoded."""
        raise NotImplementedError

    def describe(self, index: int) -> str:
        """Names image `index` in messages: its file, where it has one."""
        return f"{self.name}, image {index + 1} of {len(self)}"

    def images(self, indices) -> np.ndarray:
        """Images of equal size, uint8 [n, H, W, 3]."""
        return np.stack([self.image(int(i)) for i in indices])

    def changed(self, numbers) -> list[str]:
        """Which of some images of a packed file are others by now where they came from, a line each."""
        return []

    def fingerprint(self) -> str:
        """A hash of the content, for caches keyed by it."""
        digest = hashlib.sha256(str(len(self)).encode())
        for i in range(len(self)):
            picture = self.image(i)
            digest.update(str(picture.shape).encode())
            digest.update(np.ascontiguousarray(picture))
        return digest.hexdigest()

    def stamp(self) -> str:
        """Like `fingerprint`; where images are files, it may be of their names, sizes and times, so that none
        is decoded."""
        return self.fingerprint()


def stamp_of_files(paths, *how) -> str:
    """A hash of names, sizes and times of files, and of how they are read."""
    digest = hashlib.sha256("\0".join(map(str, how)).encode())
    for path in paths:
        about = os.stat(path)
        digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def stamp_of(*parts) -> str:
    """A hash of stamps and of what is done with their images."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


class ArraySource(Source):
    """Images that are already in memory.

    Args:
        array: uint8 [n, H, W, C].
        labels: ints [n], or None.
    """

    def __init__(self, array: np.ndarray, labels=None, name: str = "array", classes: tuple = ()):
        self.array, self.name, self.classes = array, name, classes
        self.labels = None if labels is None else np.asarray(labels, np.int32)

    def __len__(self):
        return len(self.array)

    def image(self, index):
        return self.array[index]

    def images(self, indices):
        return self.array[np.asarray(indices)]


class Subset(Source):
    """Some images of another source.

    Args:
        source: where they are.
        chosen: their numbers there, int [n].
        labels, classes: theirs, as in `Source`.
    """

    def __init__(self, source: Source, chosen: np.ndarray, labels=None, classes: tuple = ()):
        self.source, self.chosen, self.name, self.classes = source, chosen, source.name, tuple(classes)
        self.labels = None if labels is None else np.asarray(labels, np.int32)
        self.paths = [source.paths[i] for i in chosen] if len(source.paths) else ()

    def __len__(self):
        return len(self.chosen)

    def image(self, index):
        return self.source.image(int(self.chosen[index]))

    def describe(self, index):
        return self.source.describe(int(self.chosen[index]))

    def changed(self, numbers):
        return self.source.changed([int(self.chosen[i]) for i in numbers])

    def stamp(self):
        return stamp_of(self.source.stamp(), self.chosen.tobytes().hex())


class Mapped(Source):
    """Another source's images through a function, each time they are asked for.

    Args:
        source: where they are.
        function: uint8 [H, W, C] -> uint8 [h, w, c].
        how: tells this function from others, for caches.
    """

    def __init__(self, source: Source, function: Callable[[np.ndarray], np.ndarray], how: str):
        self.source, self.function, self.how = source, function, how
        self.name, self.labels, self.classes, self.paths = (
            source.name,
            source.labels,
            source.classes,
            source.paths,
        )

    def __len__(self):
        return len(self.source)

    def image(self, index):
        return self.function(self.source.image(index))

    def describe(self, index):
        return self.source.describe(index)

    def stamp(self):
        return stamp_of(self.source.stamp(), self.how)
