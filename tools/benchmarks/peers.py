"""The main iteration of each paper against its PyTorch counterpart, and against a large matrix product."""
from __future__ import annotations

import importlib.util
import statistics
import tempfile
from pathlib import Path

from benchmarks import cases, turns
from tfgan_suite.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
HALF = "bfloat16"


def run(options: dict) -> list[dict]:
    """Rows of `peers`: seconds of an iteration of ours in both types, of PyTorch's, of the package of another
    checkout, and ratios.

    Args:
        options: `rounds`, `case`, `ways`, `before` (a checkout, or '').

    Raises:
        UserError: no way is left, or there is no PyTorch here and nothing else to compare with.
    """
    chosen = _cases(options)
    if not chosen:
        return []
    ways = {"ours float32": ROOT, f"ours {HALF}": ROOT}
    if importlib.util.find_spec("torch"):
        ways.update({"torch float32": ROOT, f"torch {HALF}": ROOT})
    if options["before"]:
        ways["before float32"] = Path(options["before"]).resolve()
    if len(ways) == 2:
        raise UserError("peers: PyTorch is not installed and --before names no other checkout; pip install "
                        "torch")
    ways = {way: package for way, package in ways.items() if options["ways"] in way}
    if not ways:
        raise UserError(f"--ways={options['ways']}: no way has this in its name")
    return [_peers_row(title, turns.measure(ways, case, options["rounds"])) for title, case in chosen]


def roofline(options: dict) -> list[dict]:
    """Rows of `roofline`: the operations of an iteration, their rate in both types, and the share of the rate
    of a matrix product that was measured in turns with it."""
    rows = []
    for title, case in _cases(options):
        row = {"case": title}
        for precision in ("float32", HALF):
            names = f"ours {precision}", f"gemm {precision}"
            found = turns.measure(dict.fromkeys(names, ROOT), case, options["rounds"])
            rates = [1e-9 * found[name].operations / _median(found[name]) for name in names]
            row.setdefault("GFLOP", 1e-9 * found[names[0]].operations)
            row.update({f"{precision} ms": 1e3 * _median(found[names[0]]), f"{precision} GFLOP/s": rates[0],
                        f"{precision} GEMM GFLOP/s": rates[1],
                        f"{precision} share %": 100 * rates[0] / rates[1]})
        rows.append(row)
    return rows


def _cases(options: dict) -> list:
    with tempfile.TemporaryDirectory() as folder:
        return list(cases.chosen(options["case"], folder).items())


def _median(times: turns.Times) -> float:
    return statistics.median(times.seconds)


RATIOS = (  # name, the slower way, the faster one
    ("torch / ours float32", "torch float32", "ours float32"),
    (f"torch / ours {HALF}", f"torch {HALF}", f"ours {HALF}"),
    ("before / ours float32", "before float32", "ours float32"),
    (f"ours float32 / {HALF}", "ours float32", f"ours {HALF}"))


def _peers_row(title: str, found: dict[str, turns.Times]) -> dict:
    """Of each way the median, the least and the largest milliseconds, and the median of the processors' own;
    ratios of medians by both; seconds to the first iteration."""
    row: dict = {"case": title}
    for way, times in found.items():
        row.update({f"{way} ms": 1e3 * _median(times), f"{way} low": 1e3 * min(times.seconds),
                    f"{way} high": 1e3 * max(times.seconds),
                    f"{way} CPU ms": 1e3 * statistics.median(times.worked)})
    for name, slow, fast in RATIOS:
        if slow in found and fast in found:
            row[name] = _median(found[slow]) / _median(found[fast])
            worked = [statistics.median(found[way].worked) for way in (slow, fast)]
            row[f"{name}, CPU"] = worked[0] / worked[1]
    row["first s"] = next(iter(found.values())).first
    return row
