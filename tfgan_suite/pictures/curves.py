"""Curves of a run's scalars, drawn with matplotlib (half a second to import, so only where something is drawn)."""
from __future__ import annotations

import io
from pathlib import Path

from tfgan_suite.files import archive, jsonl


def read_metrics(path) -> dict[str, dict[int, float]]:
    """Name -> iteration -> value of a `metrics.jsonl`; a line cut short by a crash is skipped."""
    series: dict[str, dict[int, float]] = {}
    for iteration, entry in jsonl.read(path, strict=False) if Path(path).is_file() else ():
        for name, value in entry.items():
            series.setdefault(name, {})[iteration] = value
    return series


def draw_series(log_dir, names) -> dict:
    """One curve over the iterations for each name, as `<name>.png` in the log folder, from the whole `metrics.jsonl`; names
    that it lacks are left out. Returns no scalars (it is the `run` of an event)."""
    from matplotlib.figure import Figure

    series = read_metrics(Path(log_dir) / "metrics.jsonl")
    for name in names:
        if name not in series:
            continue
        figure = Figure(figsize=(6.4, 4.8))
        axes = figure.add_subplot(xlabel="iteration", ylabel=name)
        points = sorted(series[name].items())
        axes.plot([x for x, _ in points], [y for _, y in points])
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        archive.write_bytes(Path(log_dir) / f"{name}.png", buffer.getvalue())
    return {}
