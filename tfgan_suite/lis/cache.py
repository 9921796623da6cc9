"""The image cache of G-LIS: up to `lists` frozen, already augmented versions of each image.

It saves the time of augmentation, and it is part of the training data's distribution, so its decisions are kept apart from
its pixels: a version is a number, and the pixels of a version are made from it. A resumed run replays the decisions (no image
is loaded for that) and goes on with the same versions.
"""
from __future__ import annotations

import numpy as np

from tfgan_suite.random import generator


class VersionCache:
    """Which frozen version of an image a look-up shows.

    A look-up goes to one of the lists. If the image is there, it is thrown out with probability `p_drop`, otherwise its
    version is shown. If it is not there (any more), a fresh version is made, and kept as long as fewer than `total` versions
    are kept in all lists together.

    Args:
        total: most versions kept; 0 or less keeps none.
        lists: number of lists.
        p_drop: chance that a hit is thrown out.
    """

    def __init__(self, total: int, lists: int = 1, p_drop: float = 0.1):
        self.total, self.p_drop = total, p_drop
        self.lists: list[dict[int, int]] = [{} for _ in range(max(1, lists))]
        self.count = 0

    def look_up(self, key: int, which: int, u: float, fresh: int) -> int:
        """The version of image `key` to show.

        Args:
            which: the list that was drawn.
            u: uniform number in [0, 1) that decides whether a hit is thrown out.
            fresh: number of the version that is made if one must be.
        """
        kept = self.lists[which]
        if key in kept:
            if u >= self.p_drop:
                return kept[key]
            del kept[key]
            self.count -= 1
        if self.count < self.total:
            kept[key] = fresh
            self.count += 1
        return fresh


class VersionStream:
    """The versions shown at places 0, 1, 2, ... of the endless sequence of training images; a function of (seed, place).

    A version's number is the place at which it was made.

    Args:
        seed: the run's seed.
        keys: gives the image at places start ... start+count-1, ints [count].
        total, lists, p_drop: as in `VersionCache`.
    """

    CHUNK = 4096

    def __init__(self, seed: int, keys, total: int, lists: int, p_drop: float):
        self.seed, self.keys, self.arguments = seed, keys, (total, lists, p_drop)
        self._chunk = None
        self._restart()

    def _restart(self) -> None:
        self.cache, self.place = VersionCache(*self.arguments), 0

    def versions(self, start: int, count: int) -> np.ndarray:
        """Versions shown at places start ... start+count-1, int64 [count]. Going on where the last call ended costs least;
        anything else replays the decisions up to there."""
        if self.arguments[0] <= 0:
            return np.arange(start, start + count)
        if start < self.place:
            self._restart()
        while self.place < start:
            self._advance(min(start - self.place, self.CHUNK))
        return self._advance(count)

    def _advance(self, count: int) -> np.ndarray:
        keys = self.keys(self.place, count)
        places = range(self.place, self.place + count)
        shown = [self.cache.look_up(int(key), *self._draws(place), place) for key, place in zip(keys, places)]
        self.place += count
        return np.array(shown, np.int64)

    def _draws(self, place: int) -> tuple[int, float]:
        """The list and the uniform number of one place."""
        chunk, row = divmod(place, self.CHUNK)
        if self._chunk != chunk:
            draw = generator(self.seed, "image cache", chunk)
            self._chunk = chunk
            self._which = draw.integers(len(self.cache.lists), size=self.CHUNK)
            self._uniform = draw.random(self.CHUNK)
        return int(self._which[row]), float(self._uniform[row])
