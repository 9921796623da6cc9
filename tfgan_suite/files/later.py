"""Writing beside the training: calls in order, in a thread of their own."""
from __future__ import annotations

import queue
import threading
from collections.abc import Callable

MOST = 8  # calls that wait; the next one waits for room


class Later:
    """Calls functions in the order in which they are given, in a thread. An error is raised by the next
    `call` or `wait`; what was given after it is dropped until then."""

    def __init__(self):
        self._waiting: queue.Queue = queue.Queue(MOST)
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    def call(self, function: Callable, *arguments) -> None:
        """Has `function(*arguments)` called soon. Raises the error of an earlier call."""
        self._raise()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="later", daemon=True)
            self._thread.start()
        self._waiting.put((function, arguments))

    def _run(self) -> None:
        while True:
            function, arguments = self._waiting.get()
            try:
                if function is None:
                    return
                if self._error is None:
                    function(*arguments)
            except Exception as error:  # raised again by the next call
                self._error = error
            finally:
                self._waiting.task_done()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def wait(self) -> None:
        """Waits until all has been called. Raises the error of an earlier call."""
        self._waiting.join()
        self._raise()

    def close(self) -> None:
        """As `wait`, and ends the thread."""
        self._waiting.join()
        if self._thread is not None:
            self._waiting.put((None, ()))
            self._thread.join()
            self._thread = None
        self._raise()
