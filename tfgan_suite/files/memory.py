"""How much memory a data set may take."""
from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
# version 2, 1
_LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def _number(path: Path) -> int | None:
    """The number in a control file; None if the file is not there or says 'max'."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def available() -> int:
    """Bytes that a program can still take without swapping: of the machine, or of the container if that is
    less."""
    free = 4 << 30  # where the system does not tell
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    for limit, used in _LIMITS:
        limit, used = _number(_CGROUP / limit), _number(_CGROUP / used)
        if limit is not None and used is not None:
            free = min(free, limit - used)
    return max(0, free)


def budget() -> int:
    """Bytes that cached images may take: half of what is available, the rest is for the networks."""
    return available() // 2
