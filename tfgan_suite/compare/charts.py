"""Charts as SVG text for a page, whose text colour and fonts they take: they are right in the dark too."""
from __future__ import annotations

import io
import re
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# Each has a contrast of 3 or more with white and with near black; styles tell lines apart without colour.
COLOURS = ("#0a7cc4", "#cf5a00", "#0a8f68", "#b8558c", "#7d6ad0", "#94781e", "#d0455a", "#5f7f99")
DASHES = ("", "6 2", "2 2", "8 2 2 2", "4 1 1 1 1 1", "10 3", "1 2", "5 3")
MARKERS = "osD^vPX*"
INK = "#010203"  # stands for the page's text colour


@dataclass(frozen=True)
class Style:
    """How a line is drawn, in charts and in the legend."""

    colour: str
    dash: str
    marker: str


def style(number: int) -> Style:
    """The style of line `number`, from 0."""
    return Style(COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)],
                 MARKERS[number % len(MARKERS)])


def band(series: list[np.ndarray], axis: int, count: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and deviation over runs whose points lie at different iterations.

    Args:
        series: [3, points] of each run: iterations (ascending), seconds, scores. Seconds and scores are
            taken as piecewise linear in the iterations, on the range that all runs have.
        axis: what x is: 0 iterations, 1 mean seconds at them.

    Returns:
        (x, mean score, standard deviation with n - 1); the deviation is 0 for one run.
    """
    if len(series) == 1:
        return series[0][axis], series[0][2], np.zeros(series[0].shape[1])
    first, last = max(s[0, 0] for s in series), min(s[0, -1] for s in series)
    if last < first:  # the runs have no range in common
        return np.zeros(0), np.zeros(0), np.zeros(0)
    places = np.concatenate([s[0] for s in series])
    grid = np.unique(np.concatenate([np.linspace(first, last, count),
                                     places[(places >= first) & (places <= last)]]))
    seconds, scores = (np.stack([np.interp(grid, s[0], s[row]) for s in series]) for row in (1, 2))
    return (grid, seconds.mean(axis=0))[axis], scores.mean(axis=0), scores.std(axis=0, ddof=1)


def curves(lines: list[tuple[Style, list]], axis: int, x_label: str, y_label: str, name: str) -> str:
    """Lines with bands of one standard deviation, and the points of the runs.

    Args:
        lines: (style, series as `band` takes it).
        axis: as in `band`.
        name: what the ids in the SVG begin with.
    """
    figure, axes = _figure(4.5, 3.1)
    draw(axes, lines, axis, x_label, y_label, INK)
    return _svg(figure, name)


def draw(axes, lines: list[tuple[Style, list]], axis: int, x_label: str, y_label: str, ink: str) -> None:
    """Draws what `curves` shows; ink: colour of the grid."""
    for look, series in lines:
        x, mean, deviation = band(series, axis)
        dashes = (0, tuple(float(d) for d in look.dash.split())) if look.dash else "-"
        axes.plot(x, mean, color=look.colour, linestyle=dashes, linewidth=1.8)
        axes.fill_between(x, mean - deviation, mean + deviation, color=look.colour, alpha=0.15, linewidth=0)
        for one in series:
            axes.plot(one[axis], one[2], look.marker, color=look.colour, markersize=3.5, alpha=0.75)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_xlim(left=0)
    axes.grid(color=ink, alpha=0.12, linewidth=0.8)


def differences(rows: list[tuple[str, dict]], x_label: str, name: str) -> str:
    """Differences to the baseline with their intervals, one row each, the first on top.

    Args:
        rows: (name, difference as `results.difference` gives it).
    """
    figure, axes = _figure(4.5, 0.75 + 0.42 * len(rows))
    axes.spines["left"].set_visible(False)
    for place, (title, found) in enumerate(rows):
        sure = found["low"] is not None and (found["low"] > 0 or found["high"] < 0)
        colour = COLOURS[0] if sure else COLOURS[7]
        if found["low"] is not None:
            axes.plot([found["low"], found["high"]], [place, place], color=colour, linewidth=2.5,
                      solid_capstyle="butt")
        fill = "full" if sure else "none"
        axes.plot([found["mean"]], [place], "o", color=colour, markersize=7, fillstyle=fill)
        axes.text(0.0, place - 0.2, title, transform=axes.get_yaxis_transform(), fontsize=10, va="bottom",
                  color=INK)
    axes.axvline(0, color=INK, linewidth=1, alpha=0.6)
    axes.set_yticks([])
    axes.set_ylim(len(rows) - 0.5, -0.85)
    axes.set_xlabel(x_label)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.8)
    return _svg(figure, name)


def _figure(width: float, height: float):
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


_RC = {"svg.fonttype": "none", "font.size": 11, "text.color": INK, "axes.labelcolor": INK,
       "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
       "figure.facecolor": "none"}


def _svg(figure: Figure, name: str) -> str:
    text = io.StringIO()
    with matplotlib.rc_context({**_RC, "svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing)
    svg = text.getvalue()
    svg = svg[svg.index("<svg"):].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", svg)  # several charts share the page
    # matplotlib up to 3.9 writes the short form
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: inherit", svg)
    svg = re.sub(r"font-family: '[^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.S)  # it would hold for the whole page
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true" focusable="false">',
                  svg, count=1)
