"""Stacked variables [K, ...] in files: read and written row by row, whichever devices hold the rows."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgan_suite.files.checkpoints import Sliced


class Part(NamedTuple):
    """A stacked variable, or the rows of one that a device holds.

    TensorFlow copies a whole variable at every read of it, slices included, once a row has been gathered or
    assigned. So where discriminators are computed one after the other, whose rows are only ever gathered, no
    more than a row is read or written here; where they are computed at once, whole variables are.

    Attributes:
        variable: [k, ...].
        looped: whether the step only ever gathers from it.
        copied: whether each device of the strategy has its copy, which are assigned as a whole.
    """

    variable: tf.Variable
    looped: bool
    copied: bool

    def row(self, i: int) -> np.ndarray:
        """Row i [...]."""
        return (tf.gather(self.variable, i) if self.looped else self.variable[i]).numpy()

    def assign(self, values: Iterable[tuple[int, np.ndarray]]) -> None:
        """Sets rows: pairs (number, value)."""
        if self.looped and not self.copied:
            for i, value in values:
                self.variable.scatter_update(tf.IndexedSlices(value[None], [i]))
            return
        whole = np.stack([self.row(i) for i in range(self.variable.shape[0])])
        for i, value in values:
            whole[i] = value
        self.variable.assign(whole)


class Rows(Sliced):
    """A stacked variable in files, from its parts in the order of their rows."""

    def __init__(self, parts: Sequence[Part]):
        first = parts[0].variable
        self.parts, self.dtype = tuple(parts), first.dtype
        self.shape = (sum(part.variable.shape[0] for part in parts), *first.shape[1:])

    def rows(self) -> Iterator[np.ndarray]:
        """All rows, in order."""
        return (part.row(i) for part in self.parts for i in range(part.variable.shape[0]))

    def assign(self, rows: Iterator[np.ndarray]) -> None:
        """Sets all rows, in order."""
        for part in self.parts:
            part.assign(zip(range(part.variable.shape[0]), rows))
        next(rows, None)  # their end: a file's checksum is tested there
