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
        options: `rounds`, `case`, `before` (a checkout, or '').

    Raises:
        UserError: there is no PyTorch here and nothing else to compare with.
    """
    ways = {"ours float32": ROOT, f"ours {HALF}": ROOT}
    if importlib.util.find_spec("torch"):
        ways.update({"torch float32": ROOT, f"torch {HALF}": ROOT})
    if options["before"]:
        ways["before float32"] = Path(options["before"]).resolve()
    if len(ways) == 2:
        raise UserError("peers: PyTorch is not installed and --before names no other checkout; pip install "
                        "torch")
    return [_peers_row(title, turns.measure(ways, case, options["rounds"]))
            for title, case in _cases(options)]


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


def _peers_row(title: str, found: dict[str, turns.Times]) -> dict:
    """Milliseconds with their spread, ratios above 1 where ours is faster, seconds to the first iteration."""
    row: dict = {"case": title}
    for way, times in found.items():
        row[f"{way} ms"] = 1e3 * _median(times)
        row[f"{way} spread"] = f"{1e3 * min(times.seconds):.3g}-{1e3 * max(times.seconds):.3g}"
    base = _median(found["ours float32"])
    for name, way, against in (("torch / ours float32", "torch float32", "ours float32"),
                               (f"torch / ours {HALF}", f"torch {HALF}", f"ours {HALF}"),
                               ("before / ours", "before float32", "ours float32")):
        if way in found:
            row[name] = _median(found[way]) / _median(found[against])
    row[f"ours {HALF} / float32"] = _median(found[f"ours {HALF}"]) / base
    row["first s"] = found["ours float32"].first
    return row
