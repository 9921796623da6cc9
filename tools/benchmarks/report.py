"""What a run of `tools/bench.py` leaves: a table, a JSON file, a comparison with an earlier one, a part of a
document."""
from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
from pathlib import Path

from benchmarks import timing
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive

SLOWER = 0.9  # of the earlier speed, or less: a line says so


def about() -> dict:
    """Where and when: processor, its vector and matrix units, number of CPUs, load, versions, date."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    name = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")),
                platform.processor())
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    units = [text for flag, text in (("avx512f", "AVX-512"), ("avx512_bf16", "AVX512-BF16"),
                                     ("amx_tile", "AMX")) if flag in flags]
    versions = {package: importlib.metadata.version(package) for package in ("tensorflow", "torch", "numpy")
                if importlib.util.find_spec(package)}
    return {"processor": name, "units": units, "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(), "versions": versions,
            "date": datetime.date.today().isoformat()}


def result(name: str, rows: list[dict], where: dict | None = None) -> dict:
    """Rows of a comparison with `about`."""
    return {"name": name, "about": where or about(), "rows": rows}


def text(found: dict) -> str:
    """A line about the machine, and the rows as a table."""
    a = found["about"]
    versions = ", ".join(f"{package} {version}" for package, version in a["versions"].items())
    units = f" ({', '.join(a['units'])})" if a["units"] else ""
    line = (f"`tools/bench.py {found['name']}`, {a['date']}: {a['processor']}{units}, {a['cpus']} CPUs, load "
            f"{a['load']} at the end; Python {a['python']}, {versions}.")
    return f"{line}\n\n{timing.table([shown(row) for row in found['rows']])}"


def shown(row: dict) -> dict:
    """A row as a table shows it: median and spread in one cell, a ratio by the clock and by the processors'
    time in one."""
    cells = {}
    for name, value in row.items():
        way, _, kind = name.rpartition(" ")
        if kind in ("low", "high") or name.endswith((", CPU", " CPU ms")):
            continue
        if f"{way} low" in row:
            spread = f"{row[f'{way} low']:.3g}-{row[f'{way} high']:.3g}"
            cells[f"{name} (spread; CPU)"] = f"{value:.3g} ({spread}; {row[f'{way} CPU ms']:.3g})"
        elif f"{name}, CPU" in row:
            cells[f"{name} (CPU)"] = f"{value:.2f} ({row[f'{name}, CPU']:.2f})"
        else:
            cells[name] = value
    return cells


def save(path: str, found: dict) -> None:
    """Writes a result as JSON.

    Raises:
        UserError: there is no room or no permission.
    """
    archive.write_bytes(Path(path), (json.dumps(found, indent=1) + "\n").encode())


def read(path: str) -> dict:
    """What `save` wrote.

    Raises:
        UserError: it is not there, or something else.
    """
    with reading(path, "is no result of tools/bench.py", "give a file that --json wrote"):
        found = json.loads(Path(path).read_text())
        if not all(key in found for key in ("name", "about", "rows")):
            raise ValueError("its parts are missing")
    return found


def comparison(old: dict, new: dict) -> str:
    """Each time of a row beside what it was: old / new is above 1 where it is faster now.

    Raises:
        UserError: they are of different comparisons, or have no row in common.
    """
    if old["name"] != new["name"]:
        raise UserError(f"--compare: that file is of '{old['name']}', not of '{new['name']}'; give one of "
                        f"the same")
    before, rows = {_title(row): row for row in old["rows"]}, []
    for row in new["rows"]:
        for name, value in row.items():
            was = before.get(_title(row), {}).get(name)
            if "ms" in name.replace("(", " ").replace(")", " ").split() and isinstance(was, float):
                rows.append({"case": _title(row), "time": name, "old": was, "new": value,
                             "old / new": was / value, "": "slower" if was / value < SLOWER else ""})
    if not rows:
        raise UserError("--compare: that file has no row of these cases; give one with them")
    a, b = old["about"], new["about"]
    same = a["processor"] == b["processor"] and a["cpus"] == b["cpus"]
    note = "" if same else f" on another machine ({a['processor']}, {a['cpus']} CPUs): ratios mean little"
    slower = sum(bool(row[""]) for row in rows)
    return (f"\nAgainst {a['date']}{note} (load then {a['load']}, now {b['load']}); {slower} of {len(rows)} "
            f"times are slower:\n\n{timing.table(rows)}")


def _title(row: dict):
    return next(iter(row.values()))


def insert(path: str, found: dict) -> None:
    """Puts the table into a document, between its lines `<!-- bench NAME -->` and `<!-- end -->`.

    Raises:
        UserError: the document has no such lines.
    """
    with reading(path, advice="give a document"):
        whole = Path(path).read_text()
    begin, end = f"<!-- bench {found['name']} -->\n", "<!-- end -->\n"
    head, mark, rest = whole.partition(begin)
    _, last, tail = rest.partition(end)
    if not mark or not last:
        raise UserError(f"{path}: has no lines '{begin.strip()}' and '{end.strip()}' to put the table "
                        f"between; add them")
    archive.write_bytes(Path(path), f"{head}{begin}{text(found)}\n{end}{tail}".encode())
