"""The order in which the original takes its training images (`common/data/cifar10.py`): section A11."""
from __future__ import annotations

from threading import Lock

import numpy as np

from tfgan_suite.errors import UserError


class ShuffledEpochs:
    """Epoch after epoch of 0..n-1, each a shuffle in place of the one before, from `RandomState(seed)`.

    Args:
        n: images in the set.
        batch: images of a batch; a last partial batch of an epoch is dropped.

    Raises:
        UserError: fewer images than one batch.
    """

    def __init__(self, n: int, batch: int, seed: int):
        if n < batch:
            raise UserError(f"the data set has {n} images, one batch takes {batch}; choose a smaller BATCH_SIZE")
        self.n, self.size, self.seed, self._lock = n, batch, seed, Lock()
        self._restart()

    def _restart(self) -> None:
        self.state, self._order, self._epoch = np.random.RandomState(self.seed), np.arange(self.n), -1

    def epoch(self, number: int) -> np.ndarray:
        """The order of epoch `number`, int64 [n]. An earlier epoch than the last one asked for is drawn again."""
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
