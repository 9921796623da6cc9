"""The one training loop: strategy, triggers, checkpoints. It imports no system by name."""
from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Sized
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm.autonotebook import tqdm

from tfgan_suite import distributed, options, registry
from tfgan_suite.errors import CannotWrite, Diverged, UserError, reason
from tfgan_suite.events import Host
from tfgan_suite.experiment import Parameters, iterations
from tfgan_suite.files.checkpoints import Checkpoints, Kept
from tfgan_suite.files.lock import Lock
from tfgan_suite.training import resume, runs
from tfgan_suite.training.feed import Feed
from tfgan_suite.training.logs import RunLog, versions
from tfgan_suite.training.signals import Signals

MOST_PENDING, MOST_SECONDS = 20, 1.0  # iterations whose scalars wait to be read, and how long they wait


class Reading(NamedTuple):
    """What an iteration returned: its number, scalars (on the device), the time when it was done."""

    step: int
    tensors: dict
    at: float


class Trainer:
    """Trains one experiment: resumes from the newest checkpoint, stops at the last iteration or on a signal.

    Args:
        params: resolved parameters.
        out: the console (a progress bar is shown where it is a terminal).
        start: go back to the checkpoint of this iteration, or of a place that the system knows; by default
            the newest.
        change: go on although values differ that change what is optimised.

    Raises:
        UserError: unusable data or checkpoints, a batch that the replicas do not divide.
    """

    def __init__(self, params: Parameters, out=None, start: int | str | None = None, change: bool = False):
        self.params, self.out = params.replace(**resume.decided(params)), out or sys.stdout
        self._wanted, self._change = start, change
        self.strategy = distributed.strategy(registry.system_class(params.system).splits_batch(params))
        with self.strategy.scope():
            self.system = runs.build(self.params)
        replicas = self.strategy.num_replicas_in_sync
        if self.system.batch_size % replicas:
            raise UserError(f"batch size {self.system.batch_size} cannot be split over {replicas} devices; "
                            f"choose a multiple of {replicas}")
        self.chief = distributed.is_chief(self.strategy)
        self.files = Checkpoints(params.wts_dir, tuple(self.system.networks), tuple(self.system.copies))
        self._functions: dict = {}
        self._pending: list[Reading] = []
        self._unlogged: tuple | None = None
        self._history: list = []
        self._decided: dict = {}
        self._newer: list = []
        self._profiling = self._torn = False
        self._done = self._flushed = 0
        self._before = time.time()  # when the iteration before the next reading was done

    # -- one step --------------------------------------------------------------------------------------------
    def function(self, phase, step: int = 0):
        """The traced iteration of a phase; when one is traced, those that no iteration from `step` on needs
        are dropped."""
        if phase not in self._functions:
            for old in [old for old in self._functions if self.system.is_over(old, step)]:
                del self._functions[old]
            # the systems are plain Python; converting them is most of the time of a trace
            @tf.function(autograph=False)
            def run(step, batch):
                def replica(step, batch):
                    return self.system.iteration(step, batch, phase)

                scalars = self.strategy.run(replica, args=(step, batch))
                return {name: self.strategy.reduce("MEAN", value, axis=None) for name,
                        value in scalars.items()}

            self._functions[phase] = run
        return self._functions[phase]

    # -- checkpoints -----------------------------------------------------------------------------------------
    def _stays(self, number: int) -> bool:
        """Whether the whole checkpoint of this iteration stays."""
        every = self.params.keep_every
        return every > 0 and (number % every == 0 or self.system.milestone(number))

    def _save_due(self, done: int) -> bool:
        every = self.params.resume_every
        return self.system.save_due(done) or self._stays(done) or (every > 0 and done % every == 0)

    def save(self, done: int, whole: bool = True) -> None:
        """Writes the checkpoint of `done` iterations; `whole`: all that training needs to go on."""
        if not self.chief:
            return
        self.log.flush()
        about = {"iteration": done, "experiment": self.params.name, "system": self.params.system,
                 "fixed": self.params.fixed(), "parameters": self.params.values, "versions": versions(),
                 "planned": self.system.planned, "images": self.system.images_shown(done),
                 "items": self._items, "history": self._history}
        about.update({"decided": self._decided} if self._decided else {})
        kept = Kept(self.system.keep, self._stays, self.system.sampling)
        written = self.files.save(done, self.system.networks, self.system.state(), about, kept, whole,
                                  self._newer)
        if self._newer:
            self.log.line(f"Note: files of iterations after {self._start.number} are now in "
                          f"{self.files.folder}/aside")
        self._newer = []
        for path in written:
            kind = path.name.split(".")[1].removesuffix("model")
            self.log.line(f"Saved {kind.upper()} weights to {path}")
        if whole:
            self._saved = done

    # -- a run -----------------------------------------------------------------------------------------------
    def run(self) -> int:
        """Trains to the end (or to a signal) and returns the number of iterations done.

        Raises:
            Diverged: a scalar is not finite; the last good checkpoint stays.
            UserError: another run holds the folders; or the logs could not be written (the weights are saved
                then).
        """
        with distributed.all_workers(self.strategy), contextlib.ExitStack() as stack:
            self.log = self._open_log(stack)
            done = self._run()
        if self.log.failed:
            raise UserError(f"{self.log.folder}: logs are incomplete ({self.log.failed}); the weights in "
                            f"{self.params.wts_dir} are whole")
        return done

    def _open_log(self, stack) -> RunLog:
        """Takes the folders for this run; further workers of a multi-worker run write nowhere."""
        if not self.chief:
            scratch = stack.enter_context(tempfile.TemporaryDirectory())
            return RunLog(self.params.replace(log_dir=scratch), stack.enter_context(open(os.devnull, "w")))
        log = RunLog(self.params, self.out)
        weights = stack.enter_context(Lock(self.params.wts_dir,
                                           "stop it, wait for it, or give another --wts_dir (--tag=NAME)"))
        locks = [weights]
        if not os.path.isdir(self.params.log_dir) or not os.path.samefile(self.params.log_dir,
                                                                          self.params.wts_dir):
            locks.append(stack.enter_context(Lock(self.params.log_dir,
                                                  "give another --log_dir (--tag=NAME)")))
        for lock in locks:
            if lock.note:
                log.line(f"Note: {lock.note}")
        self.files.remove_partials()
        return log

    def _run(self) -> int:
        source = self.system.source()
        self._items = len(source) if isinstance(source, Sized) else None
        wanted = resume.number_of(self._wanted, self.files, self.system)
        start = self._start = resume.choose(self.files, wanted, self.log.line)
        about = resume.recorded(self.files, start, self.params)
        changed = resume.check(self.params, about, start.number, self.system.rewrites_past, self._change)
        self._begin(start, about, changed)
        end = self.system.iterations
        if start.found and start.number >= end:
            length = ", ".join(f"{name}={self.params.values[name]}" for name in self.system.length)
            path = self.files.path(self.files.kinds[0], start.numbers[self.files.kinds[0]])
            self.log.line(f"Nothing to do: {length} is reached; weights: {path}")
            return start.number
        if start.found:
            resume.load(self.system, self.files, start, self.log.line)
        self._newer = [number for number in self.files.after(start.number) if self.chief]
        self._open_records(start, about, changed)
        self.log.line(f"Starting from Iteration {start.number}")
        return self._train(source, start.number, end)

    def _begin(self, start, about: dict, changed: dict) -> None:
        """Tells the system that it starts anew, or what it goes on from."""
        if not start.found:
            self._decided = self.system.begin()
            self.params = self.log.params = self.params.replace(**self._decided)
            return
        self._decided, self._history = about.get("decided", {}), resume.history(about, changed, start.number)
        self.system.go_on(about, self._history)

    def _open_records(self, start, about: dict, changed: dict) -> None:
        """Log files and the record of the run, now that nothing can refuse it any more."""
        fresh = not start.found
        told = (*options.idle(self.system.params), *self.system.notices(),
                *resume.annealing(self.system, about, start.number))
        for text in (*self.system.prepare_run(fresh), *told) if self.chief else ():
            self.log.line(text)
        others = "" if fresh or not self.chief else resume.other_run(self.params)
        self.log.open(start.number, fresh, others, self.system.log_files)
        if not fresh and not others:
            self.system.cut_logs(self.log.folder, start.number)
        items = about.get("items")
        if items not in (None, self._items):
            self.log.line(f"Note: the data had {items} items at iteration {start.number} and have "
                          f"{self._items} now; their order is another from here on")
        if changed:
            text = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
            self.log.line(f"Note: changed from iteration {start.number} on: {text}")
        self.log.config(self._history)

    def _train(self, source, start: int, end: int) -> int:
        self.host = Host(self.params, self.log.folder, source, self.log.scalars, self.log.image,
                         self.log.line, self.log.before_save)
        self._done, self._saved = start, start if self._start.own else None
        feed = Feed(self.system, source, self.strategy, start, end)
        try:
            with Signals(self.out, self._stopping) as self._signals:
                self._loop(feed, start, end)
                if self._saved != self._done and (self._done > start or end == start):
                    self.save(self._done)
        except Diverged:
            raise
        except tf.errors.UnimplementedError as error:
            if not self.params.deterministic:
                raise
            raise UserError(f"--deterministic: TensorFlow has no deterministic form of what this run does on "
                            f"these devices ({reason(error)}); leave it out") from error
        except Exception:
            self._save_what_is_whole(start)
            raise
        finally:
            if self._profiling:
                self.log.profile(False)
            feed.close()
            self.log.close()
        return self._done

    def stop(self) -> None:
        """Asks a run that is going to stop after the present iteration, as a signal does."""
        self._signals.stop = True

    def _stopping(self) -> str:
        return f"finishing iteration {self._done + 1}, then saving; Ctrl-C again stops without saving"

    def _save_what_is_whole(self, start: int) -> None:
        """After an error: saves, unless it came from within an iteration, whose networks are half trained."""
        self._flush()  # what is not finite is not saved
        if self._torn:
            self.log.line(f"Note: iteration {self._done + 1} failed half-way; the newest checkpoint counts")
        elif self._done > start and self._saved != self._done:
            self.save(self._done)

    def _loop(self, feed: Feed, start: int, end: int) -> None:
        events = self.system.events() if self.chief else []
        self.log.bar = self._bar(start, end)
        self._flushed = begun = time.monotonic()
        self._before = time.time()
        self._report([e for e in events if e.first and start < end], start)
        for step in range(start, end):
            if self._signals.stop:
                self.log.line("Stopped!")
                break
            self._profile(step)
            batch = feed.get(step)
            self._torn = True
            scalars = self.function(self.system.phase(step), step)(tf.constant(step, tf.int64), batch)
            self._torn = False
            self._pending.append(Reading(step, scalars, time.time()))
            self._done = done = step + 1
            if step == start:  # the graph is built: `compare` counts time from here
                self._flush()
                self.log.line(f"First iteration done after {time.monotonic() - begun:.1f} s")
            due = [e for e in events if e.is_due(done)]
            save, picture = self._save_due(done), self._picture_due(done, end)
            waits = save or picture or any(event.waits for event in due)
            if waits or done == end or self._signals.stop or self._flush_due():
                self._flush()
            self._after(done, due, save, picture)
        self._flush()
        if self._unlogged is not None:
            self.log.scalars(*self._unlogged)
        self.log.close_bar()

    def _flush_due(self) -> bool:
        return len(self._pending) >= MOST_PENDING or time.monotonic() - self._flushed >= MOST_SECONDS

    def _report(self, due: list, done: int) -> None:
        for event in due:
            try:
                scalars = event.run(done, self.host)
            except (OSError, CannotWrite) as error:
                if not self.log.is_of_logs(error):
                    raise
                self.log.fail(error)
            else:
                if scalars:
                    self.log.scalars(done, scalars)

    def _after(self, done: int, due: list, save: bool, picture: bool) -> None:
        self._report(due, done)
        if picture:
            for tag, image in self.system.pictures(self.params.seed).items():
                self.log.image(tag, done, image)
        if save:
            every = self.params.resume_every
            self.save(done, whole=not every or done % every == 0 or done == self.system.iterations
                      or self._stays(done))

    def _picture_due(self, done: int, end: int) -> bool:
        every = self.params.sample_every
        if not self.chief:
            return False
        return done == end or (done % every == 0 if every else self._save_due(done))

    def _flush(self) -> None:
        """Reads the scalars of the iterations since the last reading: console, logs, and the check that all
        are finite."""
        pending, self._pending, self._flushed = self._pending, [], time.monotonic()
        for step, tensors, at in pending:
            scalars = {name: np.asarray(value) for name, value in tensors.items()}
            bad = [name for name, value in scalars.items() if not np.all(np.isfinite(value))]
            if bad:
                self._done = step
                raise Diverged(f"iteration {step}: '{bad[0]}' is not finite; training stops, {self._good()}; "
                               f"try a smaller learning rate")
            self.system.observe(step, scalars)
            if self.log.bar is None:
                lines = self.system.timed_console(step, scalars, at - self._before)
                self.log.losses(lines, (step + 1) / self.system.iterations, at)
            self._before = at
            self._unlogged = step + 1, scalars
            if (step + 1) % self.params.log_every == 0:
                self.log.scalars(*self._unlogged)
                self._unlogged = None
        if pending and self.log.bar is not None:
            with self.log.console():
                self._show(pending[0].step, pending[-1].step, scalars)

    def _good(self) -> str:
        """Which checkpoint is good."""
        newest = self.files.newest(self.files.kinds[0])
        return (
            "there is no checkpoint yet"
            if newest is None
            else f"the newest checkpoint in {self.params.wts_dir} is good"
        )

    def _show(self, first: int, last: int, scalars: dict) -> None:
        """Moves the progress bar on by the iterations first..last."""
        bar, count = self.log.bar, last + 1 - first
        shown = [(name, f"{float(value):.4f}") for name, value in scalars.items() if value.ndim == 0][:3]
        images = (self.system.images_shown(last + 1) - self.system.images_shown(first)) / count
        status = self.system.status(last)
        rate = bar.format_dict["rate"] or 0.0
        bar.set_postfix([*([("at", status)] if status else []), ("img/s", f"{rate * images:.0f}"), *shown],
                        refresh=False)
        bar.update(count)

    @property
    def notebook(self) -> bool:
        """Whether tqdm has found itself in a notebook, where a bar is shown although stdout is no
        terminal."""
        return tqdm.__module__ == "tqdm.notebook"

    def _bar(self, start: int, end: int):
        if not (self.log.out.isatty() or self.notebook and self.log.out is sys.stdout):
            return None
        return tqdm(total=end, initial=start, unit="it", dynamic_ncols=True, file=self.log.out,
                    desc=self.params.name)

    def _profile(self, step: int) -> None:
        if not self.params.profile:
            return
        first, last = iterations(self.params.profile)
        if step == first:
            self.log.profile(True)
            self._profiling = True
        if step == last and self._profiling:
            self._flush()
            self.log.profile(False)
            self._profiling = False
