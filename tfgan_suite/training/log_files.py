"""The files in a log folder: cut back to the iteration that a run goes on from, or moved aside when it starts
anew."""
from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tfgan_suite.files import archive
from tfgan_suite.files.archive import make_folder
from tfgan_suite.files.tf1_events import NAMES

METRICS, CONFIG, EARLIER = "metrics.jsonl", "config.json", "earlier"


def cut_metrics(path, iteration: int) -> None:
    """Leaves of a `metrics.jsonl` the records up to `iteration`; a torn line goes too."""
    path = Path(path)
    if not path.is_file():
        return
    before = path.read_bytes()
    kept = b"".join(line for line in before.splitlines(keepends=True) if _belongs(line, iteration))
    if kept != before:
        archive.write_bytes(path, kept)


def _belongs(line: bytes, iteration: int) -> bool:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return False
    at = (entry.get("iteration") or 0) if isinstance(entry, dict) else None
    return line.endswith(b"\n") and isinstance(at, (int, float)) and at <= iteration


def is_used(folder) -> bool:
    """Whether a log folder holds records of a run."""
    path = Path(folder) / METRICS
    return path.is_file() and path.stat().st_size > 0


def move_aside(folder, patterns: Iterable[str]) -> Path:
    """Moves the log files of an earlier run to a new folder `earlier` in the log folder, and returns it.

    Args:
        patterns: of the names of what its system writes, beside what every run writes.
    """
    folder = Path(folder)
    targets = (folder / (EARLIER if i == 1 else f"{EARLIER}-{i}") for i in range(1, 10**6))
    target = next(path for path in targets if not os.path.lexists(path))
    sheets = {path.parent.name for path in folder.glob("*/iter_*.png")}
    found = {path for pattern in (METRICS, CONFIG, NAMES, "plugins", *patterns)
             for path in folder.glob(pattern)}
    make_folder(target)
    for path in sorted(found | {folder / name for name in sheets}):
        archive.rename(path, target / path.name)
    return target
