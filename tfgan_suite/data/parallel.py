"""Work on many images at once, on threads: decoding and resizing leave Python's lock."""
from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from tqdm import tqdm

_ROUND = 4096


def in_parallel(function: Callable, items: Iterable, title: str) -> list:
    """`[function(x) for x in items]` on all cores, in order, with a progress bar on a terminal.

    The first exception in the order of the items is raised.
    """
    items, results = list(items), []
    bar = tqdm(total=len(items), desc=title, leave=False, disable=None if title else True, unit=" images")
    with bar, ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for start in range(0, len(items), _ROUND):  # in rounds: a million waiting jobs would fill the memory
            for result in pool.map(function, items[start:start + _ROUND]):
                results.append(result)
                bar.update()
    return results
