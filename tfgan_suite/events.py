"""What a system does on the host now and then, and what it is given for it."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tfgan_suite.experiment import Parameters


@dataclass
class Host:
    """What a system's events may use: the log folder, the real data, logging, console lines; `before_save`
    takes what is called before each checkpoint and at the end of the run, for those that write beside the
    training."""

    params: Parameters
    log_dir: Any
    source: Any
    log: Any
    image: Any
    line: Any = print
    before_save: Any = None


@dataclass(frozen=True)
class Event:
    """Something a system does on the host now and then (an evaluation, a plot).

    Args:
        name: for messages.
        every: iterations between two calls; it runs after iterations every, 2*every, ...
        run: called as `run(done, host)`: iterations done, and the trainer's `Host` (log folder, logging, data
            source). Returns scalars by name, which are logged.
        offset: it runs when `done % every == offset`.
        due: called as `due(done)`; replaces `every` and `offset` where the moments are not periodic (PGGAN
            counts images).
        first: it also runs before the first iteration of the process.
        waits: the scalars of all iterations so far are read and shown before it runs.
    """

    name: str
    every: int
    run: Callable[[int, Any], dict]
    offset: int = 0
    due: Callable[[int], bool] | None = None
    first: bool = False
    waits: bool = True

    def is_due(self, done: int) -> bool:
        """Whether it runs after `done` iterations."""
        return self.due(done) if self.due else done % self.every == self.offset % self.every
