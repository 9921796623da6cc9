"""How a pass over a network is meant: one object that every layer gets beside its input."""
from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Pass:
    """One pass.

    Attributes:
        training: batch norms use (and move) what training uses; else what the original uses at rest.
        update: state may move: spectral norm's u, moving averages.
        labels: int [n], or weights of classes [n, classes]; None without classes.
        groups: the batch is so many parts with batch statistics of their own; row i belongs to part i %
            groups.
        masks: dropout masks by name; the layers that know a name multiply with its mask.
    """

    training: bool = False
    update: bool = False
    labels: tf.Tensor | None = None
    groups: int = 1
    masks: dict | None = None

    @classmethod
    def of(cls, labels=None, training: bool = False, update: bool | None = None, groups: int = 1,
           masks=None) -> Pass:
        """A pass by the calling contract of networks: `update` is as `training` unless it is said."""
        return cls(training, training if update is None else update, labels, groups, masks)


REST = Pass()
