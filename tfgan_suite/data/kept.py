"""Decoded images in memory, as bytes, within a budget. Two threads may fill them."""
from __future__ import annotations

from threading import Lock

import numpy as np


class KeptRows:
    """Images of one shape: those whose numbers come first, as many as fit.

    Memory is taken as images come.

    Args:
        count: of the set.
        shape: (H, W, C).
        budget: bytes.
    """

    def __init__(self, count: int, shape: tuple, budget: int):
        self.slots = min(count, max(budget, 0) // max(1, int(np.prod(shape))))
        self._rows, self._ready = np.empty((self.slots, *shape), np.uint8), np.zeros(self.slots, bool)

    def fits(self, index: int) -> bool:
        """Whether image `index` may be kept."""
        return index < self.slots

    def __contains__(self, index: int) -> bool:
        return index < self.slots and bool(self._ready[index])

    def __getitem__(self, index: int) -> np.ndarray:
        return self._rows[index]

    def add(self, index: int, image: np.ndarray) -> None:
        """Keeps an image, if it may be kept."""
        if self.fits(index):
            self._rows[index] = image
            self._ready[index] = True  # last: another thread may be looking


class KeptPictures:
    """Images of any size: the first that come, until the budget is used up.

    Args:
        budget: bytes.
    """

    def __init__(self, budget: int):
        self._room, self._found, self._lock = budget, {}, Lock()

    def fits(self, index: int) -> bool:
        """Whether a small image may still be kept."""
        return self._room > 0

    def __contains__(self, index: int) -> bool:
        return index in self._found

    def __getitem__(self, index: int) -> np.ndarray:
        return self._found[index]

    def add(self, index: int, image: np.ndarray) -> None:
        """Keeps an image; the first one that does not fit is the last that is tried."""
        with self._lock:
            if index in self._found or self._room <= 0:
                return
            self._room = self._room - image.nbytes if image.nbytes <= self._room else 0
            if self._room > 0:
                self._found[index] = image
