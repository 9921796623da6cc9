"""Ctrl-C, SIGTERM and a closed terminal, while training."""
from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable


class Signals:
    """A context in which the first signal asks training to stop; Ctrl-C after that interrupts at once.

    Handled are Ctrl-C, SIGTERM and SIGHUP (unless the caller ignores it, as nohup does).

    Args:
        out: the console.
        text: called for the line that answers the first signal.

    Attributes:
        stop: whether a signal has come.
    """

    def __init__(self, out, text: Callable[[], str]):
        self.stop, self._out, self._text, self._old = False, out, text, {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._old[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *error) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _on_signal(self, number, frame) -> None:
        if self.stop:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self.stop = True
        # the console may be gone; print may be at work: past it
        with contextlib.suppress(OSError, ValueError):
            start = "\n" if self._out.isatty() else ""
            os.write(self._out.fileno(), f"{start}{self._text()}\n".encode())
