"""How far a long pass over images is: a bar on a terminal, else a line now and then."""
from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator

PATIENCE = 3.0  # seconds after which there is something to see
PAUSE = 15.0  # seconds between two lines


def watched(batches: Iterable, title: str, total: int, say: Callable[[str], None] | None = None) -> Iterator:
    """The batches (images, labels) as they come, with images/s and the time that is left.

    Args:
        title: what is done.
        total: images that will come.
        say: takes lines; None: a bar on stderr where that is a terminal, else lines on stderr.
    """
    if say is None and sys.stderr.isatty():
        from tqdm import tqdm  # not at the top: the commands' help needs no package

        with tqdm(total=total, desc=title, unit=" images", delay=PATIENCE, leave=False,
                  dynamic_ncols=True) as bar:
            for batch in batches:
                yield batch
                bar.update(len(batch[0]))
        return
    say, began, seen = say or _on_stderr, time.monotonic(), 0
    told = began + PATIENCE - PAUSE
    for batch in batches:
        yield batch
        seen, now = seen + len(batch[0]), time.monotonic()
        if seen < total and now - told >= PAUSE:
            rate = seen / (now - began)
            say(f"{title}: {seen} of {total} images, {rate:.0f} images/s, {_duration((total - seen) / rate)} "
                f"left")
            told = now


def _on_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """3700 -> '1 h 02 min'."""
    minutes = int(seconds // 60)
    return (
        f"{minutes // 60} h {minutes % 60:02d} min"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )
