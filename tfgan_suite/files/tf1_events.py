"""Event files of TensorBoard: written with TensorFlow 1's records, and cut back."""
from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import tensorflow as tf

from tfgan_suite.errors import CannotWrite

NAMES = "events.out.tfevents.*"


class EventFile:
    """One event file, with TensorFlow 1's records, which TensorBoard reads too; a resumed run begins another
    one.

    `tf.summary.histogram` writes the newer records, but takes a second to be traced, each.

    Args:
        folder: made if it is missing.
        every: seconds after which a record brings itself and those before it to the disk; 0: each one does.
    """

    def __init__(self, folder: Path, every: float = 0.0):
        self._folder, self._graph_written, self._every, self._flushed = folder, False, every, 0.0
        self._writer = tf.raw_ops.SummaryWriter(shared_name=f"{folder} {id(self)}", container="")
        tf.raw_ops.CreateSummaryFileWriter(writer=self._writer, logdir=str(folder), max_queue=1000,
                                           flush_millis=60000,
                                           filename_suffix=".v1")

    def recorder(self, compute: Callable) -> Callable:
        """A function `(step, *tensors) -> scalars` that evaluates and writes in one graph, without Python at
        each call. The first graph is written too, as the originals' `FileWriter(folder, graph)` did.

        Args:
            compute: called with the tensors; returns (tag -> scalar, tag -> values of a histogram).
        """
        record = tf.function(partial(self._record, compute), autograph=False)

        def write(step: int, *tensors):
            arguments = tf.constant(step, tf.int64), *tensors
            self._write_graph(record.get_concrete_function(*arguments).graph)
            found = record(*arguments)
            self._flush_due()
            return found

        return write

    def batch_recorder(self, compute: Callable, specs: list) -> Callable:
        """As `recorder`, for many records in one call: a function of rows `(step, *tensors)`, all of the
        shapes and types of `specs`."""
        one = tf.function(partial(self._record, compute), autograph=False).get_concrete_function(
            tf.TensorSpec((), tf.int64), *specs)
        stacked = [tf.TensorSpec((None, *spec.shape), spec.dtype)
                   for spec in (tf.TensorSpec((), tf.int64), *specs)]

        @tf.function(input_signature=stacked, autograph=False)
        def record(steps, *tensors):
            def body(k):
                one(steps[k], *[tensor[k] for tensor in tensors])
                return (k + 1,)

            tf.while_loop(lambda k: k < tf.shape(steps)[0], body, [0], parallel_iterations=1)

        def write(rows: list):
            self._write_graph(one.graph)
            columns = zip(*rows)
            record(*[tf.cast(tf.stack(column), spec.dtype) for column, spec in zip(columns, stacked)])
            self._flush_due()

        return write

    def _record(self, compute: Callable, step: tf.Tensor, *tensors) -> dict:
        scalars, histograms = compute(*tensors)
        at = {"writer": self._writer, "step": step}
        for tag, value in scalars.items():
            tf.raw_ops.WriteScalarSummary(**at, tag=tag, value=value)
        for tag, values in histograms.items():
            tf.raw_ops.WriteHistogramSummary(**at, tag=tag, values=tf.cast(values, tf.float32))
        return scalars

    def _flush_due(self) -> None:
        if time.monotonic() - self._flushed >= self._every:
            self.flush()

    def flush(self) -> None:
        """Brings what is recorded to the disk.

        Raises:
            CannotWrite: it cannot be written.
        """
        self._flushed = time.monotonic()
        try:
            tf.raw_ops.FlushSummaryWriter(writer=self._writer)
        except tf.errors.OpError as error:
            raise CannotWrite(self._folder, f"{self._folder}: cannot write: {error.message}") from error

    def _write_graph(self, graph) -> None:
        if not self._graph_written:
            text = graph.as_graph_def(add_shapes=True).SerializeToString()
            tf.raw_ops.WriteGraphSummary(writer=self._writer, step=0, tensor=text)
            self._graph_written = True


def cut(folder, step: int) -> None:
    """Cuts the TensorBoard files of a folder off before the first event of a later step, or where they are
    torn."""
    for path in sorted(Path(folder).glob(NAMES)):
        if not path.is_file():
            continue
        with open(path, "rb+") as file:
            end = _end(file, step)
            if end < os.fstat(file.fileno()).st_size:
                file.truncate(end)


def _end(file, step: int) -> int:
    """Where the first event after `step` begins. A record: length (8 bytes), its check (4), data, their check
    (4)."""
    size = os.fstat(file.fileno()).st_size
    at = 0
    while True:
        head = file.read(12)
        if len(head) < 12:
            return at
        length = struct.unpack("<Q", head[:8])[0]
        if at + 12 + length + 4 > size:
            return at
        data = file.read(length)
        file.seek(4, os.SEEK_CUR)
        try:
            event = tf.compat.v1.Event.FromString(data)
        except Exception:  # protobuf raises its own kinds: not an event file from here on
            return at
        if event.step > step:
            return at
        at += 12 + length + 4


def purge(folder, step: int) -> None:
    """Tells a TensorBoard that is looking at the folder to forget what it has seen of `step` and later
    ones."""
    name = Path(folder) / NAMES.replace("*", f"{step:010d}.resumed")
    start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
    with tf.io.TFRecordWriter(str(name)) as file:
        file.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
        file.write(tf.compat.v1.Event(step=step, session_log=start).SerializeToString())
