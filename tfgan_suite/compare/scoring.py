"""Scores and pictures of one trained run, kept in its folder."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfgan_suite import registry
from tfgan_suite.compare.plan import Run
from tfgan_suite.compare.state import State
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.metrics import digits, evaluating, graph_file, samples
from tfgan_suite.metrics import registry as metrics
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.pictures import saving, sheets, walks
from tfgan_suite.training import runs

NEIGHBOURS = 400  # samples among which the nearest neighbours are looked for
CLOSEST = 8  # pairs of them that are shown
WALKS, STEPS = 4, 9  # interpolations: rows and images of a row
LARGE = 64  # sheets of larger images are smaller


@dataclass(frozen=True)
class Protocol:
    """How runs are scored: what must be equal for two scores to be compared.

    Attributes:
        metrics: names; () for each experiment's own.
        n: samples of an evaluation.
        points: checkpoints of a run that are scored, at most.
        options: further options of the metrics (`splits`, `batch`, `reals`, `graph`, ...).
        seed: of the latents.
    """

    metrics: tuple = ()
    n: int = 2000
    points: int = 6
    options: dict = field(default_factory=dict)
    seed: int = 0

    def key(self) -> dict:
        """The protocol as JSON holds it."""
        return {"metrics": list(self.metrics), "n": self.n, "seed": self.seed, "points": self.points,
                **{name: self.options[name] for name in ("splits", "batch", "reals")
                   if name in self.options}}


def problem(asked: list, protocol: Protocol) -> str:
    """Finds out before anything is trained whether the metrics can be computed.

    Args:
        asked: (experiment, system) of the variants.

    Returns:
        What is wrong, in one line: an unknown metric, or the graph that it needs is not there; else ''.
    """
    get = protocol.options.get
    try:
        for name, system in asked:
            kind = registry.system_class(system)
            names = protocol.metrics or evaluating.default_metrics(name, kind)
            if kind.makes_images:  # others have metrics of their own, which only an instance knows
                metrics.find(names)
            if "graph" in metrics.needs(names):
                graph_file.find(get("graph", ""), get("graph_sha256", ""), get("download", False))
    except UserError as error:
        return str(error)
    return ""


def spread(numbers: list[int], count: int) -> list[int]:
    """At most `count` of ascending numbers, evenly over their range, with the first and the last."""
    if len(numbers) <= count:
        return list(numbers)
    wanted = np.linspace(numbers[0], numbers[-1], count) if count > 1 else [numbers[-1]]
    return sorted({min(numbers, key=lambda n: (abs(n - w), n)) for w in wanted})


def read(run: Run, protocol: Protocol) -> dict | None:
    """The scores in a run's folder, or None where there are none of this protocol."""
    try:
        found = json.loads((run.folder / "scores.json").read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("protocol") == protocol.key() else None


def score(run: Run, known: State, protocol: Protocol, shared: dict) -> dict | None:
    """The scores of a run; computes what is missing, checkpoint by checkpoint.

    Args:
        shared: what evaluations of the same experiment can take over; it is added to.

    Returns:
        protocol, points (iteration, seconds, images, results), pictures (name -> file), neighbours; None if
        the run left no checkpoint.

    Raises:
        UserError: a metric cannot be computed.
    """
    kind = registry.system_class(run.params.system)
    kept = spread(Checkpoints(run.params.wts_dir).numbers(kind.sampling[0]), protocol.points)
    if not kept:
        return None
    held = read(run, protocol)
    scores = held or {"protocol": protocol.key(), "points": [], "pictures": {}, "neighbours": None,
                      "pictures_of": None}
    scores["points"] = [point for point in scores["points"] if point["iteration"] in kept]
    done = {point["iteration"] for point in scores["points"]}
    for number in kept:
        last = number == kept[-1]
        if number in done and not (last and scores["pictures_of"] != number):
            continue
        system, _ = runs.open_sampler(run.params, str(number))
        if number not in done:
            scores["points"].append(_point(run, known, system, number, protocol, shared))
        if last:
            scores["pictures"], scores["neighbours"] = _pictures(run, system, protocol)
            scores["pictures_of"] = number
        archive.write_bytes(run.folder / "scores.json", json.dumps(scores, indent=1).encode())
    return scores


def _point(run: Run, known: State, system, number: int, protocol: Protocol, shared: dict) -> dict:
    stream = samples.SystemSamples(system, protocol.n, protocol.seed, protocol.options.get("batch", 100))
    reals = evaluating.reals_of(protocol.options.get("reals", ""), system)
    names = protocol.metrics or evaluating.default_metrics(run.params.name, system)
    evaluation = Evaluation(stream, protocol.options.get("splits", 10), protocol.seed, reals, system,
                            run.params,
                            protocol.options, names=tuple(names),
                            shared=shared.get(run.variant.experiment, {}))
    results = evaluating.compute(evaluation)
    shared[run.variant.experiment] = evaluation.next_shared()
    return {"iteration": number, "seconds": known.times.get(number),
            "images": int(system.images_shown(number)),
            "results": {name: float(value) for name, value in results.items()}}


# -- pictures ----------------------------------------------------------------------------------------------
def _pictures(run: Run, system, protocol: Protocol) -> tuple[dict, dict | None]:
    """Writes the pictures of a run; returns their files and what was found of nearest neighbours."""
    folder = archive.make_folder(run.folder / "pictures")
    if not system.makes_images:
        made, found = {"samples": system.pictures(protocol.seed)["samples"]}, None
    else:
        closest, found = _neighbours(system, protocol)
        made = {"samples": _sheet(system, protocol.seed),
                "interpolations": _interpolations(system, protocol.seed),
                "neighbours": closest}
    for name, picture in made.items():
        saving.save(folder / f"{name}.png", picture)
    return {name: str(Path("pictures", f"{name}.png")) for name in made}, found


def _sheet(system, seed: int) -> np.ndarray:
    cols = min(system.classes, 12) if system.classes > 1 else 10
    side = system.generate(system.latents(1, seed), system.labels(1, seed)).shape[1]
    columns, rows = (cols, 6) if side <= LARGE else (6, 4)
    count = rows * columns
    images = system.generate(system.latents(count, seed), system.labels(count, seed))
    return sheets.grid(samples.as_rgb(system.to_uint8(images)), rows, columns, border=1, fill=128)


def _interpolations(system, seed: int) -> np.ndarray:
    count = system.grid[0] * system.grid[1]
    ends = np.linspace(1, count, 2 * WALKS).astype(int)
    strips = walks.strips(system, list(zip(ends[0::2].tolist(), ends[1::2].tolist())), seed, STEPS)
    flat = samples.as_rgb(strips.reshape(-1, *strips.shape[2:]))
    return sheets.grid(flat, WALKS, STEPS, border=1, fill=128)


def nearest(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each image [n, H, W, C] its nearest other one: (distances, numbers).

    The distance is the root mean square difference of grey levels in [0, 1] at 16x16.
    """
    flat = digits.prepare(images).reshape(len(images), -1).astype(np.float64)
    squares = np.sum(flat**2, axis=1)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * flat @ flat.T, 0.0)
    np.fill_diagonal(distances, np.inf)
    closest = distances.argmin(axis=1)
    return np.sqrt(distances[np.arange(len(flat)), closest] / flat.shape[1]), closest


def _neighbours(system, protocol: Protocol) -> tuple[np.ndarray, dict]:
    """A sheet of the closest pairs of samples, one above the other, and how near neighbours are."""
    source = evaluating.reals_of(protocol.options.get("reals", ""), system)()
    count = min(NEIGHBOURS, len(source))
    made = _first(samples.SystemSamples(system, count, protocol.seed))
    real = _first(samples.SourceSamples(source, tuple(made.shape[1:3]), n=count))
    distances, closest = nearest(made)
    among_real = float(np.median(nearest(real)[0]))
    pairs: list[tuple] = []
    for i in np.argsort(distances):
        pair = tuple(sorted((int(i), int(closest[i]))))
        if pair not in pairs:
            pairs.append(pair)
    pairs = pairs[:CLOSEST]
    shown = np.concatenate([made[[a for a, _ in pairs]], made[[b for _, b in pairs]]])
    median = float(np.median(distances))
    return sheets.grid(shown, 2, len(pairs), border=1, fill=128), {
        "samples": count, "median": median, "median_real": among_real,
        "ratio": median / among_real if among_real else None}


def _first(stream) -> np.ndarray:
    return np.concatenate([pictures for pictures, _ in stream.batches()])
