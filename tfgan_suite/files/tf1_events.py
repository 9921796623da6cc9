"""Event files with TensorFlow 1's records, which TensorBoard reads too."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf


class EventFile:
    """One event file, with TensorFlow 1's records, which TensorBoard reads too; a resumed run begins another one.

    `tf.summary.histogram` writes the newer records, but takes a second to be traced, each.

    Args:
        folder: made if it is missing.
    """

    def __init__(self, folder: Path):
        self._writer = tf.raw_ops.SummaryWriter(shared_name=f"{folder} {id(self)}", container="")
        tf.raw_ops.CreateSummaryFileWriter(writer=self._writer, logdir=str(folder), max_queue=1000, flush_millis=60000,
                                           filename_suffix=".v1")

    def recorder(self, compute: Callable) -> Callable:
        """A function `(step, *tensors) -> scalars` that evaluates and writes in one graph, without Python at each call.

        Args:
            compute: called with the tensors; returns (tag -> scalar, tag -> values of a histogram).
        """
        @tf.function
        def record(step, *tensors):
            scalars, histograms = compute(*tensors)
            at = {"writer": self._writer, "step": step}
            for tag, value in scalars.items():
                tf.raw_ops.WriteScalarSummary(**at, tag=tag, value=value)
            for tag, values in histograms.items():
                tf.raw_ops.WriteHistogramSummary(**at, tag=tag, values=tf.cast(values, tf.float32))
            return scalars

        def write(step: int, *tensors):
            found = record(tf.constant(step, tf.int64), *tensors)
            tf.raw_ops.FlushSummaryWriter(writer=self._writer)
            return found

        return write
