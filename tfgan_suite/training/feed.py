"""Batches ahead of the step: the system's host-side batches, made in a thread and split over the replicas."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf


class Feed:
    """The batches of iterations start..end-1, in order, `ahead` of them prepared in a thread.

    Since a batch is a pure function of (seed, step), nothing needs to be saved to resume it.

    Args:
        system: gives `batch(step, source)`.
        source: what `system.source()` returned; None: batches are made when they are asked for.
        strategy: the arrays' first axis is split over its replicas.
    """

    def __init__(self, system, source, strategy, start: int, end: int, ahead: int = 2):
        self._system, self._source, self._strategy = system, source, strategy
        self._end, self._next, self._ahead = end, start, ahead
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._ready: dict = {}

    def get(self, step: int):
        """The batch of iteration `step`, as tensors. Errors of `system.batch` are raised here."""
        if self._source is None:  # the system draws its data on the device: handing over would take longer
            return self._make(step)
        while self._next < min(step + 1 + self._ahead, self._end):
            self._ready[self._next] = self._pool.submit(self._make, self._next)
            self._next += 1
        return self._ready.pop(step).result()

    def _make(self, step: int) -> dict:
        batch = self._system.batch(step, self._source)
        replicas = self._strategy.num_replicas_in_sync
        if replicas == 1:
            return {name: tf.constant(array) for name, array in batch.items()}
        return {name: self._split(np.asarray(array), replicas) for name, array in batch.items()}

    def _split(self, array: np.ndarray, replicas: int):
        rows = len(array) // replicas

        def part(context):
            first = context.replica_id_in_sync_group * rows
            return tf.constant(array[first:first + rows])

        return self._strategy.experimental_distribute_values_from_function(part)

    def close(self) -> None:
        """Drops what is prepared and ends the thread."""
        self._pool.shutdown(wait=True, cancel_futures=True)
