"""The host side of the `carpedm20_DCGAN` program: which images, z and labels each step gets, as its model.py.

The original draws all of them from NumPy's one global generator: shuffle, fixed z, then in each epoch a
shuffle of the rest followed by the iterations' z (and labels). MNIST seeds that generator (784 at the start,
the epoch's number at each epoch); for the other sets we seed it once with the run's seed. Iteration i is
found again after a restart by drawing from the start.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgan_suite.errors import UserError

FIRST_SEED = 784


@dataclass(frozen=True)
class Prior:
    """z: U[-1, 1) or N(0, 1), float32 of length `size`."""

    size: int
    gaussian: bool = False

    def draw(self, random: np.random.RandomState, n: int) -> np.ndarray:
        """[n, size] from a generator."""
        shape = (n, self.size)
        return (random.normal(0, 1, shape)
                if self.gaussian else random.uniform(-1, 1, shape)).astype(np.float32)


def one_hot(labels, classes: int) -> np.ndarray:
    """float32 [n, classes]."""
    return np.eye(classes, dtype=np.float32)[labels]


@dataclass(frozen=True)
class Draw:
    """What one iteration uses.

    Attributes:
        items: int [k * B], numbers of the real images of its k D steps.
        d_z: float32 [k * B, z].
        g_labels: int [B], random labels of the G step, or None.
        g_z: float32 [B, z].
    """

    items: np.ndarray
    d_z: np.ndarray
    g_labels: np.ndarray | None
    g_z: np.ndarray


class Stream:
    """Everything that the original's training loop draws, by iteration.

    Args:
        count: images in the set.
        batch: B, images of one step; so many are held out.
        steps: k, D steps per iteration.
        prior: of z.
        classes: of the conditional set (it reseeds at each epoch), 0 for the others.
        seed: of the run; with 0 the conditional stream is exactly the original's.
        limit: the iterations per epoch are those of a set of this size, if it is smaller (0: no limit).

    Raises:
        UserError: not one iteration per epoch.
    """

    def __init__(self, count: int, batch: int, steps: int, prior: Prior, classes: int = 0, seed: int = 0,
                 limit: int = 0):
        self.count, self.batch, self.steps, self.prior = count, batch, steps, prior
        self.classes, self.seed = classes, seed
        rest = count - batch
        self.per_epoch = min(rest, limit or rest) // (batch * steps)
        if self.per_epoch < 1:
            size = f"dataset_size={limit}" if limit and limit < rest else f"the data set of {count} images"
            raise UserError(f"batch_size={batch}: {size} is too small: one batch is held out, and an "
                            f"iteration takes disc_update_steps={steps} batches; choose a smaller batch_size")
        self._restart()

    def _reseed(self, key: int) -> None:
        self._random = np.random.RandomState(key if self.seed == 0 else [key, self.seed])

    def _restart(self) -> None:
        if self.classes:
            self._reseed(FIRST_SEED)
        else:
            self._random = np.random.RandomState(self.seed)
        order = np.arange(self.count)
        self._random.shuffle(order)
        self.fixed_items, self._rest = order[:self.batch], order[self.batch:]
        self.fixed_z = self.prior.draw(self._random, self.batch)
        self._epoch, self._round, self._last = -1, self.per_epoch, None

    def _next_epoch(self) -> None:
        while not self.classes and self._round < self.per_epoch:
            self._next_round()
        self._epoch, self._round = self._epoch + 1, 0
        if self.classes:
            self._reseed(self._epoch)
        self._random.shuffle(self._rest)

    def _next_round(self) -> None:
        size = self.batch * self.steps
        items = self._rest[self._round * size:(self._round + 1) * size].copy()
        d_z = self.prior.draw(self._random, size)
        labels = self._random.choice(self.classes, self.batch) if self.classes else None
        self._last = Draw(items, d_z, labels, self.prior.draw(self._random, self.batch))
        self._round += 1

    def at(self, step: int) -> Draw:
        """The draws of iteration `step`, from 0. Going forward is cheap, going back starts from the
        beginning."""
        epoch, place = divmod(step, self.per_epoch)
        if (epoch, place + 1) < (self._epoch, self._round):
            self._restart()
        while self._epoch < epoch:
            self._next_epoch()
        while self._round < place + 1:
            self._next_round()
        return self._last
