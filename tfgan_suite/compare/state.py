"""What is known of a run, in its folder: `run.json`, the clock, the lock. No TensorFlow here."""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tfgan_suite.compare.plan import Run
from tfgan_suite.errors import UserError, reading
from tfgan_suite.experiment import whole
from tfgan_suite.files import archive

CHECKPOINT = re.compile(r"iter_(\d+)\.\w+model\.npz")
FINAL = ("done", "diverged", "failed")


@dataclass
class State:
    """The state of a run.

    Attributes:
        asked: what the run is: experiment, its overrides without folders, its budget.
        status: 'waiting' (or interrupted), 'done', 'diverged', 'failed'.
        message: what the run said when it diverged or failed, or why it ended early.
        segments: (iteration that a process began with, seconds since the epoch when its first iteration was
            done, seconds of training before it), one for each process that trained.
        times: iteration -> seconds of training at its checkpoint.
        iterations: done at the end.
        seconds: of training at the end.
        peak_bytes: the most memory of the host that a process of the run took.
    """

    asked: dict
    status: str = "waiting"
    message: str = ""
    segments: list = field(default_factory=list)
    times: dict = field(default_factory=dict)
    iterations: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0

    def begin(self, iteration: int, now: float) -> None:
        """A process has begun to train at this iteration: what came after its checkpoint is lost."""
        before = self.times.get(iteration, 0.0) if iteration else 0.0
        self.times = {n: seconds for n, seconds in self.times.items() if n <= iteration}
        self.segments.append((iteration, now, before))

    def clock(self, now: float) -> float:
        """Seconds of training at a moment (seconds since the epoch) of the newest process."""
        return self.segments[-1][2] + max(0.0, now - self.segments[-1][1]) if self.segments else 0.0

    def see(self, folder: Path) -> None:
        """Notes the new checkpoints in a folder of weights, all of the newest process, with their time."""
        written: dict[int, float] = {}
        for entry in os.scandir(folder) if folder.is_dir() else ():
            found = CHECKPOINT.fullmatch(entry.name)
            if found:
                number = int(found[1])
                written[number] = min(written.get(number, float("inf")), entry.stat().st_mtime)
        for number, moment in written.items():
            if number not in self.times:
                self.times[number] = self.clock(moment)


def asked(run: Run) -> dict:
    """What makes a run this run, wherever its folder is."""
    places = ("wts_dir", "log_dir")
    return {"experiment": run.variant.experiment, "budget": run.budget,
            "overrides": {n: v for n, v in run.overrides.items() if n not in places}}


def read(run: Run) -> State:
    """The state of a run; a fresh one where there is none.

    Raises:
        UserError: the file is broken, or is that of a run with other settings.
    """
    path = run.folder / "run.json"
    if not path.is_file():
        return State(asked(run))
    with reading(path, "cannot be read", f"delete {run.folder} to do this run again"):
        values = json.loads(path.read_text())
        state = State(**{**values, "times": {int(n): s for n, s in values["times"].items()}})
    if state.asked != asked(run):
        raise UserError(f"{path}: is a run with other settings ({_difference(state.asked, asked(run))}); "
                        f"give another --out, or delete {run.folder}")
    return state


def _difference(old: dict, new: dict) -> str:
    before, after = ({"budget": a.get("budget"), "experiment": a.get("experiment"), **a.get("overrides", {})}
                     for a in (old, new))
    name = next(n for n in {**before, **after} if before.get(n) != after.get(n))
    return f"{name} was {before.get(name)}, is now {after.get(name)}"


def write(run: Run, state: State) -> None:
    """Writes `run.json`.

    Raises:
        UserError: it cannot be written.
    """
    archive.make_folder(run.folder)
    archive.write_bytes(run.folder / "run.json", json.dumps(asdict(state), indent=1).encode())


@contextlib.contextmanager
def locked(folder: Path, what: str):
    """Holds a folder for this process.

    Raises:
        UserError: another process holds it.
    """
    archive.make_folder(folder)
    with open(folder / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{folder}: {what} is at work here; wait for it or stop it, or give another "
                            f"--out") from None
        yield


def hold(run: Run, patience: float = 60.0):
    """Opens and locks the file that a training process holds while it lives.

    A training that an earlier, killed comparison left behind is asked to save and stop, and waited for.

    Raises:
        UserError: it does not stop.
    """
    archive.make_folder(run.folder)
    file = open(run.folder / "lock", "a+")  # noqa: SIM115 (the child inherits it)
    end = time.monotonic() + patience
    asked_to_stop = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            if not asked_to_stop and whole(holder):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(holder), signal.SIGTERM)
                asked_to_stop = True
            if time.monotonic() > end:
                raise UserError(f"{run.folder}: process {holder} still trains here; stop it") from None
            time.sleep(0.2)
