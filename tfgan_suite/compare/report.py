"""One page that shows a comparison: no server, no network, pictures inside (`report.html.j2`)."""
from __future__ import annotations

import base64
from pathlib import Path

import jinja2
import numpy as np

from tfgan_suite.compare import charts, results
from tfgan_suite.files import archive

MOST_LINES = 8  # in a chart
MISSING = "–"


def number(value: float | None, digits: int = 3, sign: bool = False) -> str:
    """A number for a table: `digits` significant ones, thousands set apart, a true minus."""
    if value is None:
        return MISSING
    size = abs(value)
    places = digits if size == 0 else max(0, digits - 1 - int(np.floor(np.log10(size))))
    if 0 < size < 1e-4 or size >= 1e6:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{value:,.{min(places, 4)}f}"
    return (("+" if sign and value > 0 else "") + text).replace("-", "−").replace(",", "\u202f")


def seconds(value: float | None) -> str:
    """12 s, 3.4 min, 2.1 h."""
    if value is None:
        return MISSING
    if value < 100:
        return f"{value:.0f} s"
    return f"{value / 60:.1f} min" if value < 5400 else f"{value / 3600:.1f} h"


def count(value: float | None) -> str:
    """1 234."""
    return MISSING if value is None else f"{value:,.0f}".replace(",", "\u202f")


def memory(value: float | None) -> str:
    """1.25 GiB."""
    return f"{value / 2**30:.2f} GiB" if value else MISSING


def percent(value: float | None) -> str:
    """4.2 %."""
    return MISSING if value is None else f"{100 * value:.1f} %"


def picture(path) -> str:
    """A PNG file as a data URI."""
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def _cell(text: str, key, label: str, extra: str = "", note: str = "") -> dict:
    """A cell of a sortable table: what it shows, what it is sorted by, its column's name."""
    return {"text": text, "key": "" if key is None else key, "label": label, "extra": extra, "note": note}


def _difference(found: dict | None) -> tuple[str, str]:
    if found is None:
        return MISSING, ""
    if found["low"] is None:
        return number(found["mean"], sign=True), "one seed: no interval"
    between = f"{number(found['low'], sign=True)} to {number(found['high'], sign=True)}"
    return number(found["mean"], sign=True), between


def ranking(comparison: dict) -> dict:
    """Columns and rows of the ranking table."""
    rank, rows = comparison["rank"], []
    classes = any(v["least_share"] is not None for v in comparison["variants"])
    for place, variant in enumerate(comparison["variants"], 1):
        score, second = (variant["scores"].get(name) for name in (rank, comparison["second"]))
        shown, between = _difference(score and score["difference"])
        is_base = variant["name"] == comparison["baseline"]
        cells = [
            _cell(str(place), place, "Rank"),
            _cell(variant["name"], variant["name"], "Variant", "name", "baseline" if is_base else ""),
            _cell(number(score and score["mean"]), score and score["mean"], rank, "score", _spread(score)),
            _cell("baseline" if is_base else shown, 0 if is_base else score and score["difference"]
                  and score["difference"]["mean"], "Difference", _sureness(score, comparison), between),
            *([_cell(number(second and second["mean"]), second and second["mean"], comparison["second"], "",
                     _spread(second))] * bool(comparison["second"])),
            _cell(f"{variant['done']} of {len(variant['runs'])}", variant["done"], "Runs", "",
                  _ends(variant)),
            *([_cell(percent(variant["least_share"]), variant["least_share"], "Least class")] * classes),
            _cell(seconds(variant["seconds"]), variant["seconds"], "Time"),
            _cell(count(variant["iterations"]), variant["iterations"], "Iterations"),
            _cell(number(variant["images_per_second"], 3), variant["images_per_second"], "Images/s"),
            _cell(memory(variant["peak_bytes"]), variant["peak_bytes"], "Memory"),
        ]
        rows.append({"cells": cells, "flags": flags(variant), "baseline": is_base})
    return {"columns": [cell["label"] for cell in rows[0]["cells"]], "rows": rows}


def _spread(score: dict | None) -> str:
    """± the standard deviation over the seeds, if there are several."""
    return f"± {number(score['std'], 2)}" if score and score["std"] is not None else ""


def _sureness(score: dict | None, comparison: dict) -> str:
    """'better' or 'worse' where the interval is on one side of 0."""
    found = score and score["difference"]
    if not found or found["low"] is None or found["low"] <= 0 <= found["high"]:
        return ""
    return "better" if (found["mean"] < 0) == comparison["lower_is_better"] else "worse"


def _ends(variant: dict) -> str:
    return ", ".join(f"{variant[kind]} {kind}" for kind in ("diverged", "failed") if variant[kind])


def flags(variant: dict) -> list[dict]:
    """What is wrong with runs of a variant, with the seeds in question."""
    found: dict[str, list] = {}
    for record in variant["runs"]:
        for text in record["flags"]:
            found.setdefault(text, []).append(record["seed"])
    return [{"text": text, "seeds": f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"}
            for text, seeds in found.items()]


def legend_and_charts(comparison: dict) -> dict:
    """Charts of the ranking score against iterations and time, and of the differences; their legend."""
    rank, variants = comparison["rank"], comparison["variants"]
    shown = variants[:MOST_LINES]
    base = next(v for v in variants if v["name"] == comparison["baseline"])
    if base not in shown:
        shown = [*shown[:-1], base]
    legend = [{"name": variant["name"], "style": charts.style(i)} for i, variant in enumerate(shown)]
    found = [[one for one in (series(r["points"], rank) for r in variant["runs"]) if one is not None]
             for variant in shown]
    lines = [(entry["style"], series) for entry, series in zip(legend, found) if series]
    differences = [(v["name"], v["scores"][rank]["difference"]) for v in variants
                   if v is not base and rank in v["scores"] and v["scores"][rank]["difference"]]
    return {
        "legend": [entry for entry, series in zip(legend, found) if series],
        "left_out": len(variants) - len(shown),
        "iterations": charts.curves(lines, 0, "iterations", rank, "by-iteration") if lines else "",
        "time": charts.curves(lines, 1, "seconds of training", rank, "by-time") if lines else "",
        "differences": charts.differences(differences, f"{rank}: difference to the baseline", "differences")
        if differences else "",
    }


def series(points: list[dict], rank: str) -> np.ndarray | None:
    """[3, points] of a run's scored checkpoints: iterations, seconds, scores; None where there are none."""
    found = [(p["iteration"], p["seconds"], p["results"][rank]) for p in points
             if p["seconds"] is not None and np.isfinite(p["results"].get(rank, np.nan))]
    return np.array(found, float).T if found else None


def sheets(comparison: dict) -> list[dict]:
    """Pictures of each variant: the first seed's sheet, walks and neighbours; the other seeds' sheets."""
    found = []
    for variant in comparison["variants"]:
        runs = [record for record in variant["runs"] if record["pictures"]]
        shown = [{"seed": record["seed"], "status": record["status"],
                  "iterations": record["points"][-1]["iteration"],
                  "neighbours": record["neighbours"], "score": record["scores"].get(comparison["rank"]),
                  "pictures": {name: picture(path) for name, path in record["pictures"].items()
                               if name == "samples" or record is runs[0]}} for record in runs]
        found.append({"name": variant["name"], "runs": shown})
    return found


def shares(comparison: dict) -> dict | None:
    """Columns and rows of the table of class shares, or None where no classes were counted."""
    variants = [variant for variant in comparison["variants"] if variant["shares"]]
    if not variants:
        return None
    classes = list(variants[0]["shares"])
    rows = [{"name": v["name"], "cells": [
        {"text": percent(v["shares"][c]), "width": min(100.0, 50 * len(classes) * v["shares"][c]),
         "low": v["shares"][c] < results.LEAST_SHARE / len(classes)} for c in classes]} for v in variants]
    return {"classes": classes, "rows": rows, "even": percent(1 / len(classes))}


def all_scores(comparison: dict) -> dict:
    """Columns and rows of the table of all metrics."""
    def cell(score: dict | None) -> dict:
        spread = score["std"] if score else None
        return {"text": number(score["mean"] if score else None),
                "note": "" if spread is None else f"± {number(spread, 2)}"}

    rows = [{"name": v["name"], "cells": [cell(v["scores"].get(m)) for m in comparison["metrics"]]}
            for v in comparison["variants"]]
    return {"columns": comparison["metrics"], "rows": rows}


def html(comparison: dict) -> str:
    """The page."""
    loader = jinja2.PackageLoader("tfgan_suite.compare", "")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    environment.filters.update(number=number, seconds=seconds, memory=memory, percent=percent, count=count)
    return environment.get_template("report.html.j2").render(
        c=comparison, ranking=ranking(comparison), charts=legend_and_charts(comparison),
        sheets=sheets(comparison), shares=shares(comparison), scores=all_scores(comparison),
        least_share=results.LEAST_SHARE, nearest=results.NEAREST)


def write(path: Path, comparison: dict) -> None:
    """Writes the page.

    Raises:
        UserError: it cannot be written.
    """
    archive.write_bytes(path, html(comparison).encode())
