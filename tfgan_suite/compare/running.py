"""Training all runs of a plan: processes of train.py, each within its budget. TensorFlow is not used here."""
from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from tfgan_suite.compare import launching
from tfgan_suite.compare import state as states
from tfgan_suite.compare.plan import Plan, Run

STARTING = re.compile(rb"Starting from Iteration (\d+)(.*First iteration done)?", re.S)
ITERATION = re.compile(rb'"iteration": (\d+)')
GRACE = 600.0  # seconds that a run may take to save and stop
TICK = 0.1


class Training:
    """A process of train.py for one run.

    Its words go to `train.log` and `errors.log` in the run's folder. It has a session of its own: Ctrl-C
    reaches it through `stop` only.

    Args:
        run: what to train.
        known: its state, which is kept up to date.
        threads: of one operation; None: TensorFlow's choice.
        launch: how its process begins.
    """

    def __init__(self, run: Run, known: states.State, threads: int | None = None,
                 launch: launching.Launch = launching.start):
        self.run, self.state, self.over = run, known, False
        self._stopped: float | None = None
        self._budget_spent = self._begun = False
        lock = states.hold(run)
        known.see(Path(run.params.wts_dir))
        self._log, self._errors = run.folder / "train.log", run.folder / "errors.log"
        self._read = self._log.stat().st_size if self._log.is_file() else 0
        limits = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(threads))
        with lock, open(self._log, "ab") as out, open(self._errors, "wb") as errors:
            self._process = launch(run.words, out, errors, lock, {} if threads is None else limits)
            lock.truncate(0)
            lock.write(str(self._process))
            lock.flush()

    # -- while it runs -------------------------------------------------------------------------------------
    def poll(self) -> None:
        """Looks after the process: its first words, its budget, its end."""
        if not self._begun:
            self._look_for_the_start()
        number, status, usage = os.wait4(self._process, os.WNOHANG)
        if number:
            unit = 1 if sys.platform == "darwin" else 1024
            self.state.peak_bytes = max(self.state.peak_bytes, usage.ru_maxrss * unit)
            self._finish(os.waitstatus_to_exitcode(status))
        elif self._stopped is not None and time.monotonic() - self._stopped > GRACE:
            self.kill()
        elif self._begun and self.run.budget is not None and self._clock() >= self.run.budget:
            self._budget_spent = True
            self.stop()

    def _clock(self) -> float:
        return self.state.clock(time.time())

    def _words(self) -> bytes:
        with open(self._log, "rb") as file:
            file.seek(self._read)
            return file.read()

    def _look_for_the_start(self) -> None:
        found = STARTING.search(self._words())
        if found and found[2]:
            self.state.begin(int(found[1]), time.time())
            self._begun = True
            states.write(self.run, self.state)

    def share(self) -> float:
        """Which part of the run is done, 0 to 1."""
        if self.run.budget is not None:
            return min(1.0, self._clock() / self.run.budget) if self._begun else 0.0
        return min(1.0, self.iteration() / self.run.iterations) if self.run.iterations else 0.0

    def iteration(self) -> int:
        """The iteration that was last recorded."""
        path = Path(self.run.params.log_dir, "metrics.jsonl")
        if not path.is_file():
            return 0
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 20000))
            found = ITERATION.findall(file.read())
        return int(found[-1]) if found else 0

    def stop(self) -> None:
        """Asks the process to save and stop."""
        if self._stopped is None:
            self._stopped = time.monotonic()
            self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if not self.over:
            os.kill(self._process, number)

    # -- its end -------------------------------------------------------------------------------------------
    def _finish(self, code: int) -> None:
        if not self._begun:
            self._look_for_the_start()
        self.over, known = True, self.state
        known.see(Path(self.run.params.wts_dir))
        known.iterations = max(known.times, default=0)
        known.seconds = known.times.get(known.iterations, 0.0)
        interrupted = self._stopped is not None and not self._budget_spent
        if code == 0 and not interrupted and (self._budget_spent or b"Stopped!" not in self._words()):
            known.status = "done"
            if self.run.budget is not None and not self._budget_spent:
                known.message = (f"reached its own length after {known.seconds / 60:.1f} of "
                                 f"{self.run.budget / 60:g} minutes")
        elif code in (0, -signal.SIGTERM) or interrupted:
            known.status = "waiting"
        else:
            known.status, known.message = self._verdict(code)
            known.seconds = max(known.seconds, self._clock() if self._begun else 0.0)
        states.write(self.run, known)

    def _verdict(self, code: int) -> tuple[str, str]:
        """What became of a run that did not end well, and what it said."""
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else ""
        own = last.startswith("train.py: ")
        if code < 0:
            name = signal.strsignal(-code)
            return "failed", f"ended by signal {-code} ({name}); signal 9 often means too little memory"
        if code == 1 and own:  # of all that a command tells in one line, only divergence has this status
            return "diverged", last.removeprefix("train.py: ")
        return "failed", last.removeprefix("train.py: ") or f"exit status {code}; see {self._errors}"


class Progress:
    """One line for all runs: a bar on a terminal, else a line for each start and end."""

    def __init__(self, total: int, done: int, out=None):
        self.out, self.total, self.done = out or sys.stdout, total, done
        self._bar = None
        if self.out.isatty():
            self._bar = tqdm(total=total, initial=done, file=self.out, dynamic_ncols=True,
                             bar_format="{l_bar}{bar}| {n:.2f}/{total} runs [{elapsed}<{remaining}{postfix}]")

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._bar is not None:
            self._bar.write(text, file=self.out)
        else:
            print(text, file=self.out, flush=True)

    def show(self, active: list[Training]) -> None:
        """The present state."""
        if self._bar is not None:
            self._bar.n = self.done + sum(training.share() for training in active)
            self._bar.set_postfix_str("; ".join(f"{title(t.run)}: {t.iteration()}" for t in active))

    def end(self, training: Training) -> None:
        """A run has ended, for now or for good."""
        known = training.state
        if known.status in states.FINAL:
            self.done += 1
        words = {"waiting": "stopped; it will go on"}.get(known.status, known.status)
        note = f": {known.message}" if known.message else ""
        self.say(f"[{self.done}/{self.total}] {title(training.run)}: {words} at iteration "
                 f"{known.iterations}, {known.seconds:.0f} s{note}")

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()


def title(run: Run) -> str:
    """A run in messages."""
    return f"{run.variant.name}, seed {run.seed}"


class _Stop:
    """Whether the user wants to stop; a second Ctrl-C interrupts at once."""

    def __init__(self):
        self.wanted = False

    def __call__(self, number, frame):
        self.wanted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _signals() -> Iterator[_Stop]:
    stop = _Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    old = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def unfinished(plan: Plan, retry: bool = False) -> list[tuple[Run, states.State]]:
    """The runs that are still to be trained, with their states.

    Args:
        retry: failed and diverged runs are tried again, from their newest checkpoints.

    Raises:
        UserError: a run in the folder has other settings.
    """
    found = [(run, states.read(run)) for run in plan.runs]
    return [(run, known) for run, known in found
            if known.status not in states.FINAL or (retry and known.status in ("diverged", "failed"))]


def train(plan: Plan, jobs: int = 1, retry: bool = False, out=None,
          launch: launching.Launch | None = None) -> bool:
    """Trains what is not yet trained.

    Args:
        jobs: runs at a time; each gets its share of the cores.
        retry: as in `unfinished`.
        out: the console.
        launch: how a run's process begins; by default the quickest way.

    Returns:
        Whether all runs have ended; False if the user stopped them.

    Raises:
        UserError: a run in the folder has other settings, or is at work.
    """
    waiting = unfinished(plan, retry)
    launch = launch or (launching.usual() if waiting else launching.start)
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None
    tqdm.monitor_interval = 0  # no thread beside ours: the process is copied
    progress = Progress(len(plan.runs), len(plan.runs) - len(waiting), out)
    active: list[Training] = []
    with _signals() as stop:
        try:
            while active or (waiting and not stop.wanted):
                while waiting and len(active) < jobs and not stop.wanted:
                    run, known = waiting.pop(0)
                    started = _start(run, known, threads, progress, launch)
                    active += [started] if started else []
                time.sleep(TICK)
                for training in active:
                    if stop.wanted:
                        training.stop()
                    training.poll()
                    if training.over:
                        progress.end(training)
                active = [training for training in active if not training.over]
                progress.show(active)
        finally:
            for training in active:
                training.kill()
            progress.close()
    return not unfinished(plan)


def _start(run: Run, known: states.State, threads: int | None, progress: Progress,
           launch: launching.Launch) -> Training | None:
    """The process that trains a run; None if an earlier comparison was stopped just when it was done."""
    known.status, known.message = "waiting", ""
    with states.hold(run):
        known.see(Path(run.params.wts_dir))
    if run.budget is not None and max(known.times.values(), default=0.0) >= run.budget:
        known.status, known.iterations = "done", max(known.times)
        known.seconds = known.times[known.iterations]
        states.write(run, known)
        progress.done += 1
        return None
    states.write(run, known)
    progress.say(f"[{progress.done}/{progress.total}] {title(run)}: training")
    return Training(run, known, threads, launch)
