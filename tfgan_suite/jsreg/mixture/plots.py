"""Pictures of the `3DGAN` program (its plotting.py), and of the plane that its data lie in."""
from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from tfgan_suite.jsreg.mixture.geometry import Mixture, to_plane, to_space
from tfgan_suite.pictures import curves

matplotlib.use("Agg")
SPACE_LIMITS = ((-1, 2), (-1, 2), (-0.5, 1.5))
DENSITY_CELLS = 80


def density(points: np.ndarray) -> np.ndarray:
    """Gaussian kernel estimate (Scott's width) at the points themselves; equal values where they are
    degenerate.

    Args:
        points: [n, d].

    Returns:
        float64 [n].
    """
    try:
        return gaussian_kde(points.T)(points.T)
    except (np.linalg.LinAlgError, ValueError):  # on a line, in a point, or fewer points than dimensions
        return np.ones(len(points))


def coloured(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The original's colours: pale grey-blue where samples are sparse, navy where they are dense.

    Args:
        points: [n, 3].

    Returns:
        (order int [n] by ascending density, density of the sorted points scaled to [0, 1], their RGB [n, 3]
        in [0, 1]).
    """
    kde = density(points)
    order = kde.argsort()
    kde = kde[order]
    scaled = (kde - kde[0]) / ((kde[-1] - kde[0]) or 1.0)
    pale = 230.0 * (1.0 - scaled) / 255.0
    return order, scaled, np.stack([pale, pale, (128.0 + 122.0 * (1.0 - scaled)) / 255.0], 1)


def _scatter_in_space(axes, points: np.ndarray) -> None:
    order, _, colours = coloured(points)
    x, y, z = points[order].T
    axes.scatter(x, y, z, s=1, c=colours)
    for name, limits in zip("xyz", SPACE_LIMITS):
        getattr(axes, f"set_{name}lim")(*limits)
        getattr(axes, f"set_{name}ticklabels")([])
    axes.view_init(azim=30)


def frames(snapshots: np.ndarray, titles: list[int], dpi: int = 600) -> bytes:
    """The original's figure, as a PNG file: a row of scatters in space, one for each snapshot.

    Args:
        snapshots: [frames, n, 3].
        titles: the counter at each of them.
    """
    figure = Figure(figsize=(2 * len(snapshots), 2))
    for i, (points, title) in enumerate(zip(snapshots, titles)):
        axes = figure.add_subplot(1, len(snapshots), i + 1, projection="3d")
        _scatter_in_space(axes, points)
        axes.set_title(f"step {title}\n")
    return curves.file(figure, "png", dpi=dpi, bbox_inches="tight")


def overview(points: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Three views of samples [n, 3]: in space, in the data's plane with the modes, and their density in the
    plane."""
    figure = Figure(figsize=(12, 4.2), dpi=100)
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.08, top=0.92)
    axes = figure.add_subplot(1, 3, 1, projection="3d")
    _scatter_in_space(axes, points)
    axes.scatter(*mixture.centres_in_space().T, s=12, c="tab:red", marker="x")
    axes.set_title("in space (red: modes)")
    plane, limit = to_plane(points), 1.6 * (mixture.radius or 1.0)
    left = figure.add_subplot(1, 3, 2)
    order, _, colours = coloured(points)
    left.scatter(*plane[order, :2].T, s=2, c=colours)
    left.scatter(*mixture.centres().T, s=14, c="tab:red", marker="x")
    left.set_title(f"in the data's plane; |distance| {np.abs(plane[:, 2]).mean():.3f}")
    right = figure.add_subplot(1, 3, 3)
    cells, *_ = np.histogram2d(*plane[:, :2].T, bins=DENSITY_CELLS, range=[[-limit, limit]] * 2)
    right.imshow(np.log1p(cells.T), origin="lower", extent=(-limit, limit, -limit, limit), cmap="Blues")
    right.set_title("log density in the plane")
    for axes in (left, right):
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    return curves.picture(figure)


def data(mixture: Mixture, n: int, seed: int = 0) -> np.ndarray:
    """The overview of `n` points of the data themselves, for comparison."""
    random = np.random.RandomState(seed)
    plane = mixture.centres()[random.randint(mixture.components,
                                             size=n)] + mixture.std * random.normal(size=(n, 2))
    return overview(to_space(np.pad(plane, ((0, 0), (0, 1)))), mixture)
