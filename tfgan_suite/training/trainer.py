"""The one training loop: strategy, triggers, signals. It imports no system by name."""
from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tfgan_suite import distributed
from tfgan_suite.errors import Diverged, UserError
from tfgan_suite.experiment import Parameters
from tfgan_suite.files.archive import Archive, make_folder
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.training import runs
from tfgan_suite.training.feed import Feed
from tfgan_suite.training.logs import RunLog, versions


@dataclass
class Host:
    """What a system's events may use: the log folder, the real data, logging, console lines."""

    params: Parameters
    log_dir: Any
    source: Any
    log: Any
    image: Any
    line: Any = print


class Trainer:
    """Trains one experiment: resumes from the newest checkpoint, stops at the last iteration or on a signal.

    Args:
        params: resolved parameters.
        out: the console (a progress bar is shown where it is a terminal).

    Raises:
        UserError: unusable data or checkpoints, a batch that the replicas do not divide.
    """

    def __init__(self, params: Parameters, out=None):
        self.params, self.out = params, out or sys.stdout
        self.strategy = distributed.strategy()
        with self.strategy.scope():
            self.system = runs.build(params)
        replicas = self.strategy.num_replicas_in_sync
        if self.system.batch_size % replicas:
            raise UserError(f"batch size {self.system.batch_size} cannot be split over {replicas} devices; "
                            f"choose a multiple of {replicas}")
        self.chief = distributed.is_chief(self.strategy)
        self.files = Checkpoints(params.wts_dir, tuple(self.system.networks))
        self._functions: dict = {}
        self._pending: list = []
        self._stop = self._profiling = False

    # -- one step ------------------------------------------------------------------------------------------------------
    def function(self, phase):
        """The traced iteration of a phase."""
        if phase not in self._functions:
            @tf.function(autograph=False)  # the systems are plain Python; converting them is most of the time of a trace
            def run(step, batch):
                def replica(step, batch):
                    return self.system.iteration(step, batch, phase)

                scalars = self.strategy.run(replica, args=(step, batch))
                return {name: self.strategy.reduce("MEAN", value, axis=None) for name, value in scalars.items()}

            self._functions[phase] = run
        return self._functions[phase]

    def spec(self) -> dict:
        """Shapes and types of the first batch.

        Raises:
            UserError: they depend on data that is not there.
        """
        known = self.system.batch_spec()
        if known is None:
            batch = self.system.batch(0, self.system.source())
            known = {name: tf.TensorSpec(np.shape(a), np.asarray(a).dtype) for name, a in batch.items()}
        return known

    # -- checkpoints ---------------------------------------------------------------------------------------------------
    def restore(self) -> int:
        """Loads the newest checkpoint, if there is one, and returns the iteration to go on from."""
        complete, first = self.files.complete(), self.files.kinds[0]
        partial = [n for n in self.files.numbers(first) if complete and n > complete[-1]]
        if partial:
            self.log.line(f"Ignoring {self.files.path(first, partial[-1])}: its checkpoint is not complete")
        if complete:
            return self._restore_own(complete[-1])
        return self._restore_original()

    def _restore_own(self, number: int) -> int:
        about = self.files.about(number)
        for name, value in self.params.fixed().items():
            if name in about["fixed"] and about["fixed"][name] != value:
                raise UserError(f"{self.params.wts_dir}: was trained with {name}={about['fixed'][name]}, this run has "
                                f"{name}={value}; go on with the old value or give another --wts_dir")
        for kind in reversed(self.files.kinds):
            self._load(kind, number)
        self.files.load_state(number, self.system.state())
        return number

    def _restore_original(self) -> int:
        first = self.files.kinds[0]
        start = self.files.newest(first)
        for kind in reversed(self.files.kinds):
            number = self.files.newest(kind)
            if number is not None and start is not None:
                self._load(kind, number)
                if number != start:
                    self.log.line(f"Note: {kind.upper()} is of iteration {number}, {first.upper()} of iteration {start}")
            elif start is not None:
                self.log.line(f"Note: no checkpoint of {kind.upper()}; it starts afresh")
        if start is not None:
            self.log.line("Note: no optimiser state beside these weights; the optimisers start afresh")
        return start or 0

    def _load(self, kind: str, number: int) -> None:
        path = self.files.path(kind, number)
        self.log.line(f"Restoring {kind.upper()} from {path}")
        self.system.load_original(kind, Archive(path))
        self.log.line("Done!")

    def save(self, done: int) -> None:
        """Writes the checkpoint of `done` iterations."""
        if not self.chief:
            return
        about = {"iteration": done, "experiment": self.params.name, "system": self.params.system,
                 "fixed": self.params.fixed(), "versions": versions(), "images": self.system.images_shown(done)}
        written = self.files.save(done, self.system.networks, self.system.state(), about, self.system.keep,
                                  self.system.sampling)
        for kind, path in zip(self.files.kinds, written):
            self.log.line(f"Saved {kind.upper()} weights to {path}")
        self._saved = done

    # -- the loop ------------------------------------------------------------------------------------------------------
    def run(self) -> int:
        """Trains to the end (or to a signal) and returns the number of iterations done.

        Raises:
            Diverged: a scalar is not finite; the last good checkpoint stays.
        """
        with contextlib.ExitStack() as stack:
            self.log = self._open_log(stack)
            return self._run()

    def _open_log(self, stack) -> RunLog:
        make_folder(self.params.wts_dir)
        if self.chief:
            return RunLog(self.params, self.out)
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        return RunLog(self.params.replace(log_dir=scratch), stack.enter_context(open(os.devnull, "w")))

    def _run(self) -> int:
        source = self.system.source()
        self.host = Host(self.params, self.log.folder, source, self.log.scalars, self.log.image,
                         self.log.line)
        self.log.config()
        start = self._done = self.restore()
        self._saved = start if self.files.complete()[-1:] == [start] else None
        self.log.line(f"Starting from Iteration {start}")
        end = self.system.iterations
        feed = Feed(self.system, source, self.strategy, start, end)
        try:
            with self._signals():
                self._loop(feed, start, end)
            if self._saved != self._done:
                self.save(self._done)
        except Diverged:
            raise
        except Exception:
            self._flush()  # what is not finite is not saved
            if self._done > start and self._saved != self._done:
                self.save(self._done)
            raise
        finally:
            if self._profiling:
                tf.profiler.experimental.stop()
            feed.close()
            self.log.close()
        return self._done

    def _loop(self, feed: Feed, start: int, end: int) -> None:
        events = self.system.events() if self.chief else []
        self.log.bar = self._bar(start, end)
        self._report([e for e in events if e.first and start < end], start)
        for step in range(start, end):
            if self._stop:
                self.log.line("Stopped!")
                break
            self._profile(step)
            batch = feed.get(step)
            scalars = self.function(self.system.phase(step))(tf.constant(step, tf.int64), batch)
            self._pending.append((step, scalars))
            self._done = done = step + 1
            due = [e for e in events if e.is_due(done)]
            save, picture = self.system.save_due(done), self._picture_due(done, end)
            if save or picture or due or done % self.params.log_every == 0 or done == end or self._stop:
                self._flush()
            self._after(done, due, save, picture)
        self._flush()
        if self.log.bar is not None:
            self.log.bar.close()
            self.log.bar = None

    def _report(self, due: list, done: int) -> None:
        for event in due:
            scalars = event.run(done, self.host)
            if scalars:
                self.log.scalars(done, scalars)

    def _after(self, done: int, due: list, save: bool, picture: bool) -> None:
        self._report(due, done)
        if picture:
            for tag, image in self.system.pictures(self.params.seed).items():
                self.log.image(tag, done, image)
        if save:
            self.save(done)

    def _picture_due(self, done: int, end: int) -> bool:
        every = self.params.sample_every
        if not self.chief:
            return False
        return done == end or (done % every == 0 if every else self.system.save_due(done))

    def _flush(self) -> None:
        """Reads the scalars of the iterations since the last reading: console, logs, and the check that all are finite."""
        for step, tensors in self._pending:
            scalars = {name: np.asarray(value) for name, value in tensors.items()}
            bad = [name for name, value in scalars.items() if not np.all(np.isfinite(value))]
            if bad:
                self._done = step
                raise Diverged(f"iteration {step}: '{bad[0]}' is not finite; training stops, the newest checkpoint in "
                               f"{self.params.wts_dir} is good; try a smaller learning rate")
            self.system.observe(step, scalars)
            if self.log.bar is None:
                for text in self.system.console(step, scalars):
                    self.log.line(text)
            else:
                shown = [(n, f"{float(v):.4f}") for n, v in scalars.items() if v.ndim == 0][:3]
                images = (self.system.images_shown(step + 1) - self.system.images_shown(step))
                self.log.bar.update(1)
                rate = self.log.bar.format_dict["rate"] or 0.0
                self.log.bar.set_postfix([("img/s", f"{rate * images:.0f}"), *shown], refresh=False)
            if (step + 1) % self.params.log_every == 0:
                self.log.scalars(step + 1, scalars)
        self._pending = []

    def _bar(self, start: int, end: int):
        if not self.out.isatty():
            return None
        return tqdm(total=end, initial=start, unit="it", dynamic_ncols=True, file=self.out, desc=self.params.name)

    def _profile(self, step: int) -> None:
        if not self.params.profile:
            return
        first, last = _profile_range(self.params.profile)
        if step == first:
            tf.profiler.experimental.start(str(self.log.folder))
            self._profiling = True
        if step == last and self._profiling:
            self._flush()
            tf.profiler.experimental.stop()
            self._profiling = False

    # -- signals -------------------------------------------------------------------------------------------------------
    def _signals(self):
        return _Signals(self._on_signal)

    def _on_signal(self, number, frame) -> None:
        self._stop = True


class _Signals:
    """Turns Ctrl-C and SIGTERM into a flag while training; a second Ctrl-C interrupts at once."""

    def __init__(self, handler):
        self._handler, self._old = handler, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._old[number] = signal.signal(number, self._once)

    def _once(self, number, frame):
        self._handler(number, frame)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error):
        for number, handler in self._old.items():
            signal.signal(number, handler)


def _profile_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise UserError(f"--profile={text}: give two iterations A:B with A < B")
    return int(first), int(last)
