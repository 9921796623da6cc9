"""Work on many images at once, on threads: decoding and resizing leave Python's lock."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from tqdm import tqdm

_ROUND = 4096
_BLOCK = 32  # a task for each small picture would cost more than the picture


def in_parallel(function: Callable, items: Iterable, title: str, workers: int = 0) -> list:
    """`[function(x) for x in items]` on all cores, in order, with a progress bar on a terminal.

    Items are worked on in blocks, so that handing them out takes next to nothing. The first exception in the
    order of the items is raised.

    Args:
        title: of the bar; '' for none.
        workers: threads; 0: one a core.
    """
    items, results, workers = list(items), [], workers or os.cpu_count() or 1
    size = max(1, min(_BLOCK, -(-len(items) // (4 * workers))))

    def work(block: Sequence) -> list:
        return [function(item) for item in block]

    bar = tqdm(total=len(items), desc=title, leave=False, disable=None if title else True, unit=" images")
    with bar, ThreadPoolExecutor(max_workers=workers) as pool:
        for start in range(0, len(items), _ROUND):  # in rounds: a million waiting jobs would fill the memory
            part = items[start:start + _ROUND]
            for done in pool.map(work, [part[i:i + size] for i in range(0, len(part), size)]):
                results += done
                bar.update(len(done))
    return results
