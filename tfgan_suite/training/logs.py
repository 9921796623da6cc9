"""What a run tells: console, TensorBoard, metrics.jsonl. One call a reading. A log that fails never stops the
training."""
from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import CannotWrite, UserError
from tfgan_suite.experiment import Parameters
from tfgan_suite.files import archive, tf1_events
from tfgan_suite.pictures import saving
from tfgan_suite.training import log_files


class RunLog:
    """The log folder of one run: `config.json`, `metrics.jsonl`, TensorBoard events, `samples/`; and the
    console.

    Nothing is written before `open`. What cannot be written later is told once and then left out.

    Args:
        params: of the run.
        out: the console.

    Attributes:
        bar: the progress bar, where there is one.
        failed: why logs are incomplete, or ''.
    """

    def __init__(self, params: Parameters, out=None):
        self.params, self.out = params, out or sys.stdout
        self.folder = Path(params.log_dir)
        self.failed, self._told = "", 0.0
        self.bar: Any = None  # a tqdm bar where the console is a terminal
        self.writer: Any = None
        self._metrics: Any = None
        self._bringing: list[Callable[[], None]] = []
        self._closing: list[Callable[[], None]] = []

    # -- console ---------------------------------------------------------------------------------------------
    def line(self, text: str, stamp: bool = True, at: float | None = None) -> None:
        """One console line, with the original's time prefix; `at`: seconds since the epoch, by default
        now."""
        prefix = time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(at)) if stamp else ""
        with self.console():
            if self.bar is not None:
                self.bar.write(prefix + text, file=self.out)
            else:
                print(prefix + text, file=self.out, flush=True)

    @contextlib.contextmanager
    def console(self):
        """Around what writes to the console, which may be gone: training goes on without it."""
        try:
            yield
        except (OSError, ValueError) as error:  # nobody reads it any more; a closed file is a ValueError
            self._console_gone(error)

    def losses(self, lines: list[str], share: float, at: float) -> None:
        """The console lines of an iteration that was done at the time `at`; with `console_every` the first of
        them, and the share of the run that is done, once in so many seconds."""
        every = self.params.console_every
        if every:
            due = bool(lines) and abs(at - self._told) >= every  # clocks are set back, too
            self._told = at if due else self._told
            lines = [f"{lines[0]} ({share:.0%})"] if due else []
        for text in lines:
            self.line(text, at=at)

    def close_bar(self) -> None:
        """Ends the progress bar, if there is one."""
        with self.console():
            if self.bar is not None:
                self.bar.close()
        self.bar = None

    def _console_gone(self, error: Exception) -> None:
        self.bar = None
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())
        self.out = open(os.devnull, "w")  # noqa: SIM115 (as long as the run)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            print(f"Note: the console cannot be written ({getattr(error, 'strerror', None) or error}); "
                  f"training goes on as process {os.getpid()}, its numbers are in "
                  f"{self.folder}", file=sys.stderr, flush=True)

    # -- opening and closing ---------------------------------------------------------------------------------
    def open(self, start: int, fresh: bool, others: str = "", patterns: tuple = ()) -> None:
        """Opens the files: cut back to iteration `start`, or with those of an earlier run moved aside.

        Args:
            fresh: the run starts anew.
            others: the weights folder of another run to which the files in the folder belong, or ''.
            patterns: of the file names that the system writes here.

        Raises:
            UserError: the folder cannot be made or written.
        """
        archive.make_folder(self.folder)
        try:
            if log_files.is_used(self.folder) and (fresh or others):
                target = log_files.move_aside(self.folder, patterns)
                self.line(f"Note: {self.folder} holds logs of {others or 'an earlier run'}; they are now in "
                          f"{target}")
            elif not fresh:
                log_files.cut_metrics(self.folder / log_files.METRICS, start)
                tf1_events.cut(self.folder, start)
            self._metrics = _Lines(self.folder / log_files.METRICS)
            with self._guard():
                if not fresh:
                    tf1_events.purge(self.folder, start + 1)
                self.writer = tf.summary.create_file_writer(str(self.folder))
        except OSError as error:
            raise UserError(f"{self.folder}: cannot write logs: {error}; give another --log_dir") from error

    @contextlib.contextmanager
    def _guard(self):
        """Turns an error of what is written into the log folder into one warning."""
        try:
            yield
        except (OSError, tf.errors.OpError, CannotWrite) as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Says once that logs cannot be written."""
        if not self.failed:
            text = str(getattr(error, "strerror", None) or getattr(error, "message", None) or error)
            self.failed = text.splitlines()[0].rpartition("}} ")[2]  # without TensorFlow's names of nodes
            self.line(f"Warning: {self.folder}: logs cannot be written ({self.failed}); training goes on "
                      f"without them")

    def before_save(self, bring: Callable[[], None], close: Callable[[], None]) -> None:
        """For those that write beside the training: `bring` is called when everything must be on the disk,
        `close` at the end."""
        self._bringing.append(bring)
        self._closing += [bring, close]

    def is_of_logs(self, error) -> bool:
        """Whether what an event could not write is no checkpoint."""
        path = getattr(error, "path", None) or getattr(error, "filename", None)
        if path is None:
            return True
        place, weights, logs = (Path(os.path.abspath(os.fsdecode(name)))
                                for name in (path, self.params.wts_dir, self.folder))
        if logs != weights and logs.is_relative_to(weights) and place.is_relative_to(logs):
            return True
        return not place.is_relative_to(weights)

    def profile(self, on: bool) -> None:
        """Begins, or ends and writes, a TensorFlow profile."""
        with self._guard():
            if on:
                tf.profiler.experimental.start(str(self.folder))
            else:
                tf.profiler.experimental.stop()

    def flush(self) -> None:
        """Brings everything to the disk: a checkpoint is about to be written, from which a run may go on."""
        for bring in self._bringing:
            with self._guard():
                bring()
        with self._guard():
            if self.writer is not None:
                self.writer.flush()

    def close(self) -> None:
        """Flushes and closes everything."""
        for function in self._closing:
            with self._guard():
                function()
        with self._guard():
            if self.writer is not None:
                self.writer.close()
        if self._metrics is not None:
            self._metrics.close()

    # -- records ---------------------------------------------------------------------------------------------
    def config(self, history: list) -> None:
        """Writes the resolved parameters, the versions, the source of the experiment and the history of its
        changes."""
        about = {"experiment": self.params.name, "parameters": self.params.values,
                 "sources": self.params.sources,
                 "versions": versions(), "source": self.params.text, "history": history}
        rows = [f"| {k} | {v} | {self.params.sources.get(k, '')} |" for k,
                v in sorted(self.params.values.items())]
        with self._guard():
            archive.write_bytes(self.folder / log_files.CONFIG,
                                json.dumps(about, indent=1, sort_keys=True).encode())
            self._summary(0, lambda: tf.summary.text("config",
                                                     "\n".join(["| parameter | value | from |",
                                                                "|---|---|---|", *rows])))

    def scalars(self, step: int, values: dict) -> None:
        """Scalars and vectors of iteration `step` to TensorBoard and metrics.jsonl."""
        flat = {}
        for name, value in values.items():
            if np.ndim(value) == 0:
                flat[name] = float(value)
            else:
                flat.update({f"{name}/{i:02d}": float(v) for i, v in enumerate(np.ravel(value))})

        with self._guard():
            self._metrics.write(json.dumps({"iteration": step, **flat}))
        with self._guard():
            self._summary(step, lambda: tf.summary.experimental.write_raw_pb(scalar_record(flat)))

    def image(self, tag: str, step: int, picture: np.ndarray) -> None:
        """A uint8 picture [H, W, 3] to `<tag>/iter_N.png` in the log folder and to TensorBoard."""
        folder = self.folder / tag
        with self._guard():
            folder.mkdir(parents=True, exist_ok=True)
            saving.save(folder / f"iter_{step}.png", picture)
        with self._guard():
            self._summary(step, lambda: tf.summary.image(tag, picture[None]))

    def _summary(self, step: int, write) -> None:
        if self.writer is not None:
            with self.writer.as_default(step=step):
                write()


def scalar_record(values: dict[str, float]) -> bytes:
    """One record with all scalars, each as `tf.summary.scalar` writes it; that takes a call for each."""
    about = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    record = tf.compat.v1.Summary()
    for name, value in values.items():
        record.value.add(tag=name, tensor=tf.make_tensor_proto(value, tf.float32), metadata=about)
    return record.SerializeToString()


class _Lines:
    """A text file of whole lines: what a full disk leaves of one is taken back."""

    def __init__(self, path: Path):
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 (open as long as the run)

    def write(self, line: str) -> None:
        """Appends a line."""
        before, data = self._file.seek(0, os.SEEK_END), line.encode() + b"\n"
        try:
            while data:
                data = data[self._file.write(data):]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            raise

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def append(folder, step: int | None, results: dict, more: dict) -> None:
    """Adds results of an evaluation to a log folder: a line of metrics.jsonl and TensorBoard scalars.

    Args:
        step: the iteration that was evaluated, if it is known.
        results: name -> value.
        more: further entries of the line.

    Raises:
        UserError: the folder cannot be written.
    """
    folder = archive.make_folder(folder)
    try:
        lines = _Lines(folder / log_files.METRICS)
        lines.write(json.dumps({"iteration": step, **results, **more}))
        lines.close()
        writer = tf.summary.create_file_writer(str(folder))
        with writer.as_default(step=step or 0):
            for name, value in results.items():
                tf.summary.scalar(name, value)
        writer.close()
    except (OSError, tf.errors.OpError) as error:
        raise UserError(f"{folder}: cannot write logs: {error}; give another --log_dir") from error


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {"python": platform.python_version(), "tensorflow": tf.__version__, "numpy": np.__version__}
