"""The losses of the last iterations, kept on the device: the original's `loss_record`, history and `log/loss_N.pt`."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

ABSENT = -1.0  # what the original prints for a loss that did not occur


class Record:
    """A ring of rows, one an iteration, that is part of a run's state.

    Args:
        names: of the columns, as on the console.
        length: rows kept.
    """

    def __init__(self, names: tuple, length: int):
        self.names, self.length = tuple(names), length
        self.ring = tf.Variable(tf.fill([length, len(self.names)], ABSENT), trainable=False, name="record",
                                aggregation=tf.VariableAggregation.MEAN)

    def put(self, step: tf.Tensor, values: dict) -> None:
        """Stores iteration `step` (from 0)."""
        row = tf.stack([tf.cast(values[name], tf.float32) for name in self.names])
        place = tf.reshape(step % self.length, [1, 1])
        self.ring.assign(tf.tensor_scatter_nd_update(tf.convert_to_tensor(self.ring), place, row[None]))

    def rows(self, done: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The newest `count` rows (or as many as are kept) after `done` iterations.

        Returns:
            (iterations counted from 1 [n], values [n, columns]).
        """
        first = max(0, done - min(count, self.length))
        return np.arange(first + 1, done + 1), self.ring.numpy()[np.arange(first, done) % self.length]


def training_loss(record: Record, done: int, interval: int, columns: tuple) -> np.ndarray:
    """The original's table: (interval, 3) with 0 where a loss did not occur.

    Args:
        columns: the three names of its columns.
    """
    table = np.zeros((interval, len(columns)), np.float32)
    iterations, values = record.rows(done, interval)
    for iteration, row in zip(iterations, values):
        found = dict(zip(record.names, row))
        table[(iteration - 1) % interval] = [0.0 if found[c] == ABSENT else found[c] for c in columns]
    return table
