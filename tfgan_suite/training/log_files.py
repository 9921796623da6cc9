"""The files in a log folder: cut back to the iteration that a run goes on from, or moved aside when it starts anew."""
from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from tfgan_suite.files import archive
from tfgan_suite.files.archive import make_folder

METRICS, CONFIG, EVENTS, EARLIER = "metrics.jsonl", "config.json", "events.out.tfevents.*", "earlier"


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
    except ValueError:
        return False
    return line.endswith(b"\n") and isinstance(entry, dict) and (entry.get("iteration") or 0) <= iteration


def cut_events(folder, step: int) -> None:
    """Cuts the TensorBoard files of a folder off before the first event of a later step, or where they are torn."""
    for path in sorted(Path(folder).glob(EVENTS)):
        if not path.is_file():
            continue
        with open(path, "rb+") as file:
            end = _end(file, step)
            if end < os.fstat(file.fileno()).st_size:
                file.truncate(end)


def _end(file, step: int) -> int:
    """Where the first event after `step` begins. A record: length (8 bytes), its check (4), data, their check (4)."""
    size = os.fstat(file.fileno()).st_size
    at = 0
    while True:
        head = file.read(12)
        if len(head) < 12:
            return at
        length = struct.unpack("<Q", head[:8])[0]
        if at + 12 + length + 4 > size:
            return at
        data = file.read(length)
        file.seek(4, os.SEEK_CUR)
        try:
            event = tf.compat.v1.Event.FromString(data)
        except Exception:  # protobuf raises its own kinds: not an event file from here on
            return at
        if event.step > step:
            return at
        at += 12 + length + 4


def purge(folder, step: int) -> None:
    """Tells a TensorBoard that is looking at the folder to forget what it has seen of `step` and later ones."""
    name = Path(folder) / EVENTS.replace("*", f"{step:010d}.resumed")
    start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
    with tf.io.TFRecordWriter(str(name)) as file:
        file.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
        file.write(tf.compat.v1.Event(step=step, session_log=start).SerializeToString())


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
    target = next(path for path in targets if not path.exists())
    sheets = {path.parent.name for path in folder.glob("*/iter_*.png")}
    found = {path for pattern in (METRICS, CONFIG, EVENTS, "plugins", *patterns) for path in folder.glob(pattern)}
    make_folder(target)
    for path in sorted(found | {folder / name for name in sheets}):
        archive.rename(path, target / path.name)
    return target
