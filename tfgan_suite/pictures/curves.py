"""Drawing of curves. The libraries take half a second to import, so that they are imported where they are used."""
from __future__ import annotations

import io

import numpy as np
from PIL import Image


def picture(figure) -> np.ndarray:
    """A matplotlib figure as uint8 [H, W, 3]."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def series_jpeg(series: dict[int, float], name: str) -> bytes:
    """A JPEG file of one series over the iterations."""
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot(list(series), list(series.values()))
    axes.set_xlabel("iteration")
    axes.set_ylabel(name)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpg")
    return buffer.getvalue()


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
