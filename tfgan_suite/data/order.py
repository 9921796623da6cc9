"""In which order images are drawn: pure functions of the iteration, so that a resumed run goes on where it
stopped."""
from __future__ import annotations

from functools import lru_cache
from threading import Lock

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.random import generator


class RpganOrder:
    """The endless sequence of ayanc/rpgan: permutation after permutation of `n` from `RandomState(0)`.

    Permutations are drawn once, in order; asking for an earlier one than those kept starts again from the
    first.
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
        drop_remainder: True: an epoch has floor(n / batch) batches, and the rest of its permutation is not
            used. False: a last partial batch is filled from the next epoch.

    Returns:
        int64 [batch].

    Raises:
        UserError: an empty set, or with `drop_remainder` fewer images than a batch.
    """
    if n < 1:
        raise UserError("the data set is empty; it needs at least one image")
    if drop_remainder:
        if n < batch:
            raise UserError(f"a batch of {batch} is more than the {n} images of the data set; choose a "
                            f"smaller batch")
        epoch, place = divmod(step, n // batch)
        return epoch_permutation(n, epoch, seed)[place * batch:(place + 1) * batch]
    start = step * batch
    first, last = start // n, (start + batch - 1) // n
    parts = [epoch_permutation(n, epoch, seed) for epoch in range(first, last + 1)]
    return np.concatenate(parts)[start - first * n:][:batch]


class ShuffledEpochs:
    """The order of GAN_Lib_Tensorflow (`common/data/cifar10.py`): epoch after epoch, each a shuffle in place
    of the one before, from `RandomState(seed)`.

    Args:
        n: images in the set.
        batch: images of a batch; a last partial batch of an epoch is dropped.
        option: what the batch is called where it is set, for the message.

    Raises:
        UserError: fewer images than one batch.
    """

    def __init__(self, n: int, batch: int, seed: int, option: str = "batch"):
        if n < batch:
            raise UserError(f"the data set has {n} images, one batch takes {batch}; choose a smaller "
                            f"{option}")
        self.n, self.size, self.seed, self._lock = n, batch, seed, Lock()
        self._restart()

    def _restart(self) -> None:
        self.state, self._order, self._epoch = np.random.RandomState(self.seed), np.arange(self.n), -1

    def epoch(self, number: int) -> np.ndarray:
        """The order of epoch `number`, int64 [n]. An earlier epoch than the last one asked for is drawn
        again."""
        with self._lock:
            if number < self._epoch:
                self._restart()
            while self._epoch < number:
                self.state.shuffle(self._order)
                self._epoch += 1
            return self._order.copy()

    def batch(self, number: int) -> np.ndarray:
        """Indices of batch `number` of the endless sequence, int64 [batch]."""
        epoch, place = divmod(number, self.n // self.size)
        return self.epoch(epoch)[place * self.size:(place + 1) * self.size]


@lru_cache(maxsize=4)
def epoch_order(n: int, epoch: int) -> np.ndarray:
    """The original's permutation of 0..n-1 of that epoch (counted from 1), read-only."""
    order = np.arange(n)
    np.random.RandomState(epoch).shuffle(order)
    order.flags.writeable = False
    return order


def batches_per_epoch(n: int, size: int, legacy: bool) -> int:
    """Whole batches in one pass. `legacy` drops one picture more, as the original does.

    Raises:
        UserError: not even one (there the original waits forever).
    """
    count = (n - 1) // size if legacy else n // size
    if count < 1:
        raise UserError(f"batch_size={size}: the data set has only {n} pictures; choose a smaller batch")
    return count


def batch_indices(n: int, size: int, index: int, legacy: bool) -> np.ndarray:
    """Batch `index` (from 0) of an endless pass over `n` pictures, shuffled anew in each epoch.

    Args:
        legacy: the original's off-by-one: picture 0 of an epoch is dropped, and slot 0 holds the last picture
            of its batch.

    Returns:
        int [size].
    """
    epoch, place = divmod(index, batches_per_epoch(n, size, legacy))
    order, start = epoch_order(n, epoch + 1), place * size
    if legacy:
        return np.concatenate([order[start + size:start + size + 1], order[start + 1:start + size]])
    return order[start:start + size]
