"""Plots of LIS runs: losses, component densities before and after the modules, t-SNE maps, comparisons of
runs."""
from __future__ import annotations

import io
import math
from pathlib import Path

import matplotlib
import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive
from tfgan_suite.lis.history import FIRST_PLOTTED, History
from tfgan_suite.pictures import saving

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 (the backend is chosen first)

COLOURS = ("red", "blue", "cyan", "magenta", "orange", "black", "green", "brown", "purple", "grey")
BINS = 100
CLIP = 6.0  # components of a code are shown in [-6, 6]
BANDWIDTH = 0.35
TSNE_AXIS = 10.0


def _save(figure, path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png" if str(path).endswith(".png") else "jpg")
    plt.close(figure)
    archive.write_bytes(saving.check_output(path), buffer.getvalue())


def losses(history: History, path) -> None:
    """One plot per group of lines, from iteration 100 on, with at most about 500 points a line.

    Raises:
        UserError: there is no point.
    """
    groups = [(group, lines) for group, lines in history.groups.items()
              if any(line.x_list for line in lines.values())]
    if not groups:
        raise UserError(f"{path}: there are no losses to plot yet; train for --log_every iterations first")
    rows = max(1, int(math.sqrt(len(groups))))
    cols = max(1, math.ceil(len(groups) / rows))
    figure, axes = plt.subplots(rows, cols, figsize=(10 * cols, 10 * rows), squeeze=False)
    for axis, (group, lines) in zip(axes.flat, groups):
        xs = np.concatenate([line.xs for line in lines.values()])
        start, end = xs.min(), xs.max() + 1
        if end > FIRST_PLOTTED:
            start = max(start, FIRST_PLOTTED)
        axis.set_title(group)
        axis.set_xlim(start, end)
        for number, (name, line) in enumerate(lines.items()):
            axis.plot(*line.reduced(start, end), color=COLOURS[number % len(COLOURS)], linewidth=1,
                      label=name)
        axis.legend()
    _save(figure, path)


def compare(runs: dict[str, tuple[np.ndarray, np.ndarray]], path, title: str) -> None:
    """One line per run, name -> (xs, ys)."""
    figure, axis = plt.subplots(figsize=(10, 7))
    for number, (name, (xs, ys)) in enumerate(runs.items()):
        axis.plot(xs, ys, color=COLOURS[number % len(COLOURS)], linewidth=1, label=name)
    axis.set_title(title)
    axis.set_xlabel("iteration")
    axis.legend()
    _save(figure, path)


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the values in each of 100 equal bins over their range.

    Returns:
        (middles of the bins, shares that sum to one).
    """
    counts, edges = np.histogram(values, BINS)
    return (edges[:-1] + edges[1:]) / 2, counts / counts.sum()


def kernel_density(values: np.ndarray, at: np.ndarray, bandwidth: float = BANDWIDTH) -> np.ndarray:
    """Gaussian kernel density of some values, at the places `at`; the values are first counted in bins of a
    twentieth of the bandwidth, so that the cost does not grow with their number."""
    bins = max(1, math.ceil((values.max() - values.min()) / bandwidth * 20))
    counts, edges = np.histogram(values, bins)
    middles = (edges[:-1] + edges[1:]) / 2
    kernel = np.exp(-0.5 * ((at[:, None]
                             - middles) / bandwidth) ** 2) / (bandwidth * math.sqrt(2 * math.pi))
    return kernel @ (counts / counts.sum())


def csv_points(path, header: str, points: np.ndarray, digits: int) -> None:
    """Writes points [n, 2] as text."""
    lines = [header, *(f"{x:.{digits}f},{y:.{digits}f}" for x, y in points)]
    archive.write_bytes(path, "\n".join(lines).encode())


def read_points(path) -> np.ndarray:
    """Points [n, 2] of a file that `csv_points` wrote.

    Raises:
        UserError: it cannot be read.
    """
    with reading(path, "is no table of numbers", "delete it"):
        return np.loadtxt(path, delimiter=",", comments="#", ndmin=2)


def _curves(path, curves: list, highest: float, title: str) -> None:
    """Curves (xs, ys, colour, label) in a square of the usual range."""
    figure, axis = plt.subplots(figsize=(5, 5))
    for xs, ys, colour, label in curves:
        axis.plot(xs, ys, color=colour, linewidth=1, label=label)
    axis.set_xlim(-CLIP, CLIP)
    axis.set_ylim(0, highest)
    axis.set_title(title)
    axis.legend()
    _save(figure, path)


def densities(vectors: list[np.ndarray], folder, components: int = 50) -> None:
    """Densities of single components of the codes after 0, 1, ... R modules: tables and four kinds of
    plots.

    Args:
        vectors: R + 1 arrays [n, code].
        folder: where `density_*` files go.
        components: the first so many components, or all if there are fewer.
    """
    folder = Path(folder)
    at = np.linspace(-CLIP, CLIP, 400)
    for v in range(min(components, vectors[0].shape[1])):
        shares, kernels = [], []
        for r, codes in enumerate(vectors):
            values = np.clip(codes[:, v], -CLIP, CLIP)
            xs, ys = histogram(values)
            csv_points(folder / f"density_r{r:02d}_v{v:03d}.csv", "x,y", np.stack([xs, ys], 1), 8)
            shares.append((xs, ys, COLOURS[(r - 1) % len(COLOURS)] if r else "black", f"after {r} LIS"))
            kernels.append((at, kernel_density(values, at), *shares[-1][2:]))
        for kind, curves, highest in (("", shares, 0.06), ("kde_", kernels, 0.5)):
            _curves(folder / f"density_{kind}all_v{v:03d}.jpg", curves, highest, f"component {v}")
            for r in range(len(vectors)):
                pair = [curves[0], (*curves[r][:2], "red", curves[r][3])] if r else curves[:1]
                _curves(folder / f"density_{kind}r{r:02d}_v{v:03d}.jpg", pair, highest, f"component {v}")


def embed(codes: np.ndarray, seed: int, iterations: int = 10000) -> np.ndarray:
    """t-SNE map of codes [n, code] with the original's settings (perplexity 40, learning rate 4000),
    float64 [n, 2]."""
    from sklearn.manifold import TSNE

    perplexity = min(40.0, (len(codes) - 1) / 3)
    model = TSNE(perplexity=perplexity, max_iter=iterations, learning_rate=4000.0, init="random",
                 random_state=seed)
    return model.fit_transform(codes.astype(np.float64))


def map_of(codes: np.ndarray, path: Path, seed: int, iterations: int) -> np.ndarray:
    """The map [n, 2] of some codes [n, d]: that of the table at `path` if it fits, else computed and written
    there."""
    if path.is_file():
        points = read_points(path)
        if points.shape == (len(codes), 2):
            print(f"{path}: is there already and used again")
            return points
    points = embed(codes, seed, iterations)
    csv_points(path, "#x,y", points, 6)
    return points


def reach_of(maps: list[np.ndarray]) -> float:
    """How far the axes of all maps of a run reach: to 10 as in the original, or as far as any point does."""
    return max(TSNE_AXIS, *(float(np.abs(points).max()) * 1.05 for points in maps))


def tsne_map(points: np.ndarray, folder, r: int, reach: float) -> None:
    """`tsne_0000_rRR.jpg`, a scatter plot of a map [n, 2], and `tsne_0000_rRR_kde.jpg`, its density.

    Args:
        reach: of the axes, the same for all maps that are compared.
    """
    import seaborn

    x, y = points.T
    for ending, draw in (("", lambda axis: axis.scatter(x, y, s=2, alpha=0.2)),
                         ("_kde", lambda axis: seaborn.kdeplot(x=x, y=y, fill=True, ax=axis))):
        figure, axis = plt.subplots(figsize=(10, 10))
        draw(axis)
        axis.set_xlim(-reach, reach)
        axis.set_ylim(-reach, reach)
        _save(figure, Path(folder) / f"tsne_0000_r{r:02d}{ending}.jpg")
