"""In which order images are drawn: pure functions of the iteration, so that a resumed run goes on where it stopped."""
from __future__ import annotations

from functools import lru_cache
from threading import Lock

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.random import generator


class RpganOrder:
    """The endless sequence of ayanc/rpgan: permutation after permutation of `n` from `RandomState(0)` (spec section 7).

    Permutations are drawn once, in order; asking for an earlier one than those kept starts again from the first.
    """

    def __init__(self, n: int):
        if n < 1:
            raise UserError("the data set is empty; it needs at least one image")
        self.n, self._lock, self._kept = n, Lock(), {}
        self._restart()

    def _restart(self) -> None:
        self._state, self._drawn = np.random.RandomState(0), 0
        self._kept.clear()

    def _permutation(self, epoch: int, keep: int) -> np.ndarray:
        if epoch not in self._kept and epoch < self._drawn:
            self._restart()
        while self._drawn <= epoch:
            self._kept[self._drawn] = self._state.permutation(self.n)
            self._drawn += 1
            if len(self._kept) > keep:
                del self._kept[min(self._kept)]
        return self._kept[epoch]

    def slice(self, start: int, count: int) -> np.ndarray:
        """Places start ... start+count-1 of the sequence, int64 [count]."""
        first, last = start // self.n, (start + count - 1) // self.n
        with self._lock:
            parts = [self._permutation(epoch, keep=last - first + 2) for epoch in range(first, last + 1)]
        return np.concatenate(parts)[start - first * self.n:][:count]


_rpgan_order = lru_cache(maxsize=8)(RpganOrder)


def rpgan_indices(n: int, bsz: int, step: int) -> np.ndarray:
    """The batch of iteration `step` (from 0) in the original's order, as an uninterrupted run draws it.

    Every epoch is exact: a last partial batch is filled from the next permutation, and nothing is dropped.

    Args:
        n: images in the list.
        bsz: batch size.

    Returns:
        int64 [bsz].
    """
    return _rpgan_order(n).slice(step * bsz, bsz)


@lru_cache(maxsize=4)
def epoch_permutation(n: int, epoch: int, seed: int) -> np.ndarray:
    """The permutation of 0..n-1 of epoch `epoch`, a function of (seed, epoch); read-only int64 [n]."""
    permutation = generator(seed, "epoch order", epoch).permutation(n)
    permutation.flags.writeable = False
    return permutation


def epoch_indices(n: int, batch: int, step: int, seed: int, drop_remainder: bool = False) -> np.ndarray:
    """The batch of iteration `step`, shuffled anew in each epoch.

    Args:
        n: images in the set.
        drop_remainder: True: an epoch has floor(n / batch) batches, and the rest of its permutation is not used. False: a last
            partial batch is filled from the next epoch.

    Returns:
        int64 [batch].

    Raises:
        UserError: an empty set, or with `drop_remainder` fewer images than a batch.
    """
    if n < 1:
        raise UserError("the data set is empty; it needs at least one image")
    if drop_remainder:
        if n < batch:
            raise UserError(f"a batch of {batch} is more than the {n} images of the data set; choose a smaller batch")
        epoch, place = divmod(step, n // batch)
        return epoch_permutation(n, epoch, seed)[place * batch:(place + 1) * batch]
    start = step * batch
    first, last = start // n, (start + batch - 1) // n
    parts = [epoch_permutation(n, epoch, seed) for epoch in range(first, last + 1)]
    return np.concatenate(parts)[start - first * n:][:batch]
