"""One writer in a folder: the lock file `train.lock`, which says who holds it."""
from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
from pathlib import Path

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import make_folder

NAME = "train.lock"
BEAT, SILENCE = 15.0, 120.0  # seconds between two signs of life; after so many without one a holder is dead
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def machine() -> str:
    """What tells one running kernel from another: containers on one machine share its file locks, whatever
    their names."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str:
    """When a process of this machine began, in clock ticks, so that a number that is used again is not taken
    for it; '' if there is none (or the system does not tell)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


class Lock:
    """A folder that this process alone writes to, as a context manager.

    The kernel's lock on the file decides between processes of one machine, and is gone with its process.
    Between machines (a shared file system without such locks) the file's content does: its holder touches it
    all the time, and one that is silent for two minutes is dead. Whoever only reads needs no lock.

    Args:
        folder: made if it is missing.
        advice: what to do if somebody else holds it, for the message.
    """

    def __init__(self, folder, advice: str):
        self.folder, self.advice = Path(folder), advice
        self.path = self.folder / NAME
        self.note = ""
        self._stop = threading.Event()

    def __enter__(self) -> Lock:
        """Takes the lock; `note` then says whose it was, if a dead run left it.

        Raises:
            UserError: a living process holds it, or the folder cannot be written.
        """
        self._made = not self.folder.exists()
        make_folder(self.folder)
        self._handle, alone = self._open()
        try:
            left = self._read()
            if left and self._lives(left, alone):
                self._refuse(left)
            if left:
                self.note = f"{self.path}: left by a run that is dead ({_who(left)})"
            self._write()
        except BaseException:
            os.close(self._handle)
            raise
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            if os.fstat(self._handle).st_ino == os.stat(self.path).st_ino:
                os.unlink(self.path)
        os.close(self._handle)
        if self._made:
            with contextlib.suppress(OSError):  # it holds something: it stays
                self.folder.rmdir()

    def _open(self) -> tuple[int, bool]:
        """The open file and whether the kernel gave us its lock; False where its file system has no locks."""
        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise UserError(f"{self.path}: cannot write: {error.strerror}; make room, or give another "
                                f"folder") from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with contextlib.suppress(FileNotFoundError):
                    if os.fstat(handle).st_ino == os.stat(self.path).st_ino:
                        return handle, True
            except OSError as error:
                if error.errno in _UNSUPPORTED:
                    return handle, False
                self._handle = handle
                left = self._read()
                os.close(handle)
                self._refuse(left)
            os.close(handle)  # its holder deleted it between our two calls

    def _read(self) -> dict:
        try:
            content = json.loads(os.pread(self._handle, 10000, 0))
        except (OSError, ValueError):
            content = {}
        return content if isinstance(content, dict) else {}

    def _write(self) -> None:
        content = {"host": socket.gethostname(), "machine": machine(), "pid": os.getpid(),
                   "process_started": started(os.getpid()),
                   "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with contextlib.suppress(
            OSError
        ):  # a full disk: the kernel's lock is held, the checkpoints will tell
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, json.dumps(content).encode(), 0)

    def _lives(self, left: dict, alone: bool) -> bool:
        if left.get("machine") == machine():
            return not alone and isinstance(left.get("pid"),
                                            int) and started(left["pid"]) == left.get("process_started") != ""
        return abs(self._silence()) < SILENCE  # touched in the future: before the clock was set back

    def _silence(self) -> float:
        """Seconds since the file was touched, by the clock of its file system."""
        touched = os.fstat(self._handle).st_mtime
        probe = self.path.with_name(f"{NAME}.{os.getpid()}.partial")
        try:
            probe.write_bytes(b"")
            return probe.stat().st_mtime - touched
        except OSError:
            return time.time() - touched
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()

    def _refuse(self, left: dict) -> None:
        far = left.get("machine", machine()) != machine()
        dead = f"; if that one is dead, its lock goes after {SILENCE:.0f} s of silence" if far else ""
        raise UserError(f"{self.folder}: is in use by a run that is still going ({_who(left)}){dead}; "
                        f"{self.advice}")

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._handle)


def _who(content: dict) -> str:
    if not content:
        return "another process"
    return f"process {content.get('pid')} on {content.get('host')}, since {content.get('since')}"
