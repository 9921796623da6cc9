"""`metrics.jsonl`: one reading of a run a line."""
from __future__ import annotations

import json
from collections.abc import Iterator

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files.archive import read_bytes

_LARGEST = 1 << 62


def _entry(line: bytes, where: str) -> tuple[int, dict[str, float]] | None:
    with reading(where, "is no JSON", "mend or delete that line"):
        entry = json.loads(line)
    if not isinstance(entry, dict):
        raise UserError(f"{where}: is no reading of a run; mend or delete that line")
    iteration = entry.get("iteration")
    if type(iteration) is not int or abs(iteration) > _LARGEST:
        return None
    return iteration, {name: float(value) for name, value in entry.items() if name != "iteration"
                       and _is_number(value)}


def _is_number(value) -> bool:
    return type(value) is float or (type(value) is int and abs(value) <= _LARGEST)


def read(path, advice: str = "give the log folder of a run",
         strict: bool = True) -> Iterator[tuple[int, dict[str, float]]]:
    """(iteration, name -> number) of every line that has an iteration; other values of a line are left out.

    A broken last line without its end is what a crash leaves behind: it is left out too.

    Args:
        strict: False leaves out every broken line.

    Raises:
        UserError: no such file, or a whole line is no JSON.
    """
    *lines, last = read_bytes(path, advice).split(b"\n")
    for number, line in enumerate([*lines, last], 1):
        if not line.strip():
            continue
        try:
            found = _entry(line, f"{path} (line {number})")
        except UserError:
            if strict and number <= len(lines):
                raise
            continue
        if found:
            yield found
