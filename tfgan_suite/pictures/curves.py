"""Curves of a run's scalars, drawn with matplotlib (half a second to import, so only where something is
drawn)."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_suite.files import archive, jsonl


def read_metrics(path) -> dict[str, dict[int, float]]:
    """Name -> iteration -> value of a `metrics.jsonl`; a line cut short by a crash is skipped."""
    series: dict[str, dict[int, float]] = {}
    for iteration, entry in jsonl.read(path, strict=False) if Path(path).is_file() else ():
        for name, value in entry.items():
            series.setdefault(name, {})[iteration] = value
    return series


def draw_series(log_dir, names, denser=None) -> dict:
    """One curve over the iterations for each name, as `<name>.png` in the log folder, from the whole
    `metrics.jsonl`; names that it lacks are left out.

    Args:
        denser: series that replace those of the file, name -> iteration -> value.

    Returns:
        No scalars: it can be the `run` of an event.
    """
    series = {**read_metrics(Path(log_dir) / "metrics.jsonl"), **(denser or {})}
    for name in names:
        if name in series:
            archive.write_bytes(Path(log_dir) / f"{name}.png",
                                curve(sorted(series[name].items()), name, "png"))
    return {}


def curve(points: list[tuple[int, float]], name: str, kind: str) -> bytes:
    """A picture file of one series, as pairs of iteration and value; kind: its format, 'png' or 'jpg'."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8))
    axes = figure.add_subplot(xlabel="iteration", ylabel=name)
    axes.plot([x for x, _ in points], [y for _, y in points])
    return file(figure, kind)


def file(figure, kind: str, **how) -> bytes:
    """A matplotlib figure as a picture file; how: for its `savefig`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **how)
    return buffer.getvalue()


def picture(figure) -> np.ndarray:
    """A matplotlib figure as uint8 [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(file(figure, "png"))).convert("RGB"))


def of_runs(steps: list[int], values: dict[str, np.ndarray]) -> np.ndarray:
    """One panel for each name: all runs as thin lines, their mean thick; uint8 [H, W, 3].

    Args:
        steps: the counter at each point.
        values: name -> [runs, points], NaN where a run has not come so far.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(values), 3), dpi=100, layout="constrained")
    for i, (name, runs) in enumerate(values.items()):
        axes = figure.add_subplot(1, len(values), i + 1)
        for run in runs:
            axes.plot(steps, run, lw=0.8, marker=".", alpha=0.6)
        known = ~np.isnan(runs).all(0)
        axes.plot(np.asarray(steps)[known], np.nanmean(runs[:, known], 0), lw=2.5, color="black")
        axes.set(title=name.replace("_", " "), xlabel="step")
    return picture(figure)
