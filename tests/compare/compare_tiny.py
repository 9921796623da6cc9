"""Tiny experiments to compare, and a comparison with every kind of end that needs no training."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from tfgan_suite.compare import plan, results, state
from tfgan_suite.pictures import saving

EXPERIMENT = """system, dataset, network = 'sngan_projection', 'digits', '16'
gen_ch, dis_ch, dim_z = 4, 3, 4
batchsize, n_gen_samples, n_dis, iteration, snapshot_interval, alpha = 4, 6, 1, 6, 2, 0.01
evaluation_interval, SINGULAR_FREQUENCY, log_every, data_dir = 0, 0, 1, 'data/none'
"""


def workplace(folder: Path, monkeypatch) -> Path:
    """Goes to a fresh folder with `exp/small.py`, a conditional SNGAN of 16x16 digits."""
    monkeypatch.chdir(folder)
    (folder / "exp").mkdir()
    (folder / "exp/small.py").write_text(EXPERIMENT)
    return folder


def points(draw, level: float, count: int = 3) -> list[dict]:
    """Scores that rise to `level`."""
    made = []
    for i in range(1, count + 1):
        score = level * i / count + draw.normal(0, 0.01)
        shares = draw.dirichlet(np.full(10, 30.0))
        found = {"digits_is": 9 * score, "digits_is_std": 0.1, "digits_is_ratio": score,
                 "digits_svc_is_ratio": score - 0.1,
                 "digits_fid": 30 * (1 - score), "digits_least_share": float(shares.min()),
                 **{f"digits_share_{c}": float(s) for c, s in enumerate(shares)}}
        made.append({"iteration": 100 * i, "seconds": 10.0 * i + draw.uniform(), "images": 6400 * i,
                     "results": found})
    return made


def comparison(folder: Path, seeds=(0, 1, 2)) -> dict:
    """Six variants: the baseline, better, alike, worse, diverged with one seed, failed."""
    draw = np.random.default_rng(0)
    chosen = plan.variants(["small"], plan.axes(["alpha=0.01,0.02,0.03,0.04,0.05,0.06"]))
    made = plan.make(chosen, {}, seeds, plan.Budget.parse("5m"), folder / "out", None)
    levels = dict(zip((v.name for v in chosen), (0.6, 0.9, 0.6, 0.3, 0.7, 0.0)))
    known = []
    for run in made.runs:
        number = [v.name for v in chosen].index(run.variant.name)
        about = state.State(state.asked(run), "done", segments=[(0, 0.0, 0.0)], iterations=300,
                            seconds=30.0, peak_bytes=2**30)
        near = {"samples": 400, "median": 0.1, "median_real": 0.1, "ratio": 0.4 if number == 3 else 0.95}
        scores = {"points": points(draw, levels[run.variant.name]), "pictures": pictures(run, draw),
                  "neighbours": near}
        if number == 4 and run.seed == 1:
            about.status = "diverged"
            about.message = "iteration 212: 'd_loss' is not finite; training stops <here>"
        if number == 5:
            about.status, about.message, scores = "failed", "data/none: no such folder", None
        known.append((run, about, scores))
    return results.compare(made, known, {"n": 400, "seed": 0, "points": 6},
                           argv=("small", "--vary", "alpha=0.01,0.02"))


def pictures(run: plan.Run, draw) -> dict:
    """Sheets of noise in a run's folder."""
    (run.folder / "pictures").mkdir(parents=True)
    for name in ("samples", "interpolations", "neighbours"):
        saving.save(run.folder / f"pictures/{name}.png", draw.integers(0, 256, (34, 86, 3), np.uint8))
    return {name: f"pictures/{name}.png" for name in ("samples", "interpolations", "neighbours")}
