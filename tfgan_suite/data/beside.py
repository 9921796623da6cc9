"""Work on all images of a set beside the training: decoding them into memory, or looking whether they are
whole."""
from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Sequence

from tfgan_suite.errors import UserError

WAITED = 2.0  # seconds at the start: what is wrong with a small set is told before anything is written
_BLOCK = 256


class Beside:
    """Goes through the images 0, 1, ... once, in a thread of its own.

    Whoever hands out images calls `check`, so that a broken one stops a run within the minutes that the look
    takes, and not when its turn comes hours later. Training saves what it has then.

    Args:
        name: of the set, for messages.
        count: images.
        work: numbers of images -> what is wrong with those that cannot be used, a line each.
        to_the_end: wait for the end; by default only for the first seconds.
        done: called at the end, in the thread.
    """

    def __init__(self, name: str, count: int, work: Callable[[Sequence[int]], list[str]],
                 to_the_end: bool = False, done: Callable[[], None] = lambda: None):
        self.name, self.count, self._work, self._done = name, count, work, done
        self.looked, self._problems, self._failed = 0, [], None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="images", daemon=True)
        atexit.register(self.stop)  # TensorFlow must not be called while Python ends
        self._thread.start()
        self._thread.join(None if to_the_end else WAITED)
        self.check()
        if self._thread.is_alive():
            print(f"{name}: its {count} images are looked at beside the training, which stops if one cannot "
                  f"be used", file=sys.stderr)

    def _run(self) -> None:
        try:
            while self.looked < self.count and not self._stop.is_set():
                block = range(self.looked, min(self.looked + _BLOCK, self.count))
                found = self._work(block)
                self.looked = block.stop
                self._problems += found
            if not self._stop.is_set():
                self._done()
        except Exception as error:  # raised again where the images are used
            self._failed = error
        finally:
            atexit.unregister(self.stop)

    def stop(self) -> None:
        """Ends the thread after its present block."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Waits for the end.

        Raises:
            UserError: as `check`.
        """
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Raises:
            UserError: some image cannot be used; says how many, and what is wrong with the first.
        """
        if self._failed is not None:
            raise self._failed
        problems, looked = list(self._problems), self.looked
        if len(problems) == 1:
            raise UserError(problems[0])
        if problems:
            of = f"{self.count}" if looked == self.count else f"the first {looked}"
            raise UserError(f"{self.name}: {len(problems)} of {of} images cannot be read; the first: "
                            f"{problems[0]}")


def workers() -> int:
    """Threads for work beside the training: half of the cores."""
    return max(1, (os.cpu_count() or 1) // 2)


def problem(function: Callable, *arguments) -> str:
    """What a function says is wrong with what it is given, or ''."""
    try:
        function(*arguments)
    except UserError as error:
        return str(error)
    return ""
