"""Speed as a ratio within one process: the ways to compare are run in turns, so that other load hits them
alike."""
from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable


def compare(ways: dict[str, Callable[[], object]], rounds: int = 15, warm_up: int = 2) -> dict[str, float]:
    """Median seconds of one call of each way.

    Args:
        ways: name -> a function without arguments that returns something with `numpy()`, or a dict of them,
            or nothing; it is read, so that an asynchronous device has finished.
        rounds: measured calls of each, interleaved.
        warm_up: calls of each before that (tracing, allocation).
    """
    times: dict[str, list] = {name: [] for name in ways}
    for turn in range(warm_up + rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            finish(way())
            if turn >= warm_up:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def finish(result) -> None:
    """Reads a result, so that an asynchronous device has finished."""
    if isinstance(result, dict):
        for value in result.values():
            finish(value)
    elif isinstance(result, (list, tuple)):
        for value in result:
            finish(value)
    elif hasattr(result, "numpy"):
        result.numpy()


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes.

    On Linux from /proc, because `getrusage` of a started process begins with what its parent had.
    """
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(rows: list[dict]) -> str:
    """Rows as a Markdown table; what a row lacks stays empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [row.get(name, "") for name in names]
        lines.append("| " + " | ".join(f"{v:.3g}" if isinstance(v, float) else str(v) for v in cells) + " |")
    return "\n".join(lines)
