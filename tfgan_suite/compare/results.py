"""From the scores of runs to a comparison: means, spreads, paired differences, flags; JSON and CSV."""
from __future__ import annotations

import csv
import io
import json
import math
import os
import platform
import re
import shlex
import time
from pathlib import Path

import numpy as np
from scipy import stats

from tfgan_suite.compare.plan import Plan, Run
from tfgan_suite.compare.state import State
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, jsonl

CONFIDENCE = 0.95
# Metrics of which less is better:
LOWER = re.compile(r"(.*_)?(fid|kid|swd|distance|spoilt)(_.*)?$|reconstruction|bad_after")
PREFERRED = (r"digits_is_ratio$", r"fid_", r"is_\d", r"is_new_\d", r"kid_", r"swd$", r"")  # the first ranks
ASIDE = re.compile(r".*(_std|_real|_share_[^_]+)$")  # results that judge nothing by themselves
SHARE = re.compile(r"(.*)_share_([^_]+)$")
OPINIONS = {"digits_is_ratio": "digits_svc_is_ratio",  # score that ranks -> another judge's, shown beside it
            "digits_svc_is_ratio": "digits_is_ratio"}
LEAST_SHARE = 0.3  # of an even share: below it a class counts as missing
NONE = {"points": [], "pictures": {}, "neighbours": None}  # the scores of a run without a checkpoint
NEAREST = 0.5  # of the real images' median distance between neighbours: below it samples repeat themselves


def lower_is_better(name: str) -> bool:
    """Whether less is better of a metric."""
    return bool(LOWER.match(name))


def interval(values: list[float], confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The t interval of the mean of values, or None for fewer than two."""
    if len(values) < 2:
        return None
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stats.t.ppf(0.5 + confidence / 2, len(values) - 1)) * error
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def summary(values: list[float]) -> dict:
    """Mean, standard deviation (n - 1; None for one), least, greatest and number of values."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": deviation,
            "min": float(min(values)), "max": float(max(values)), "n": len(values)}


def difference(mine: dict[int, float], base: dict[int, float]) -> dict | None:
    """The mean of the differences mine - base over the seeds that both have, with its t interval.

    Args:
        mine, base: seed -> value.
    """
    both = [seed for seed in mine if seed in base]
    if not both:
        return None
    values = [mine[seed] - base[seed] for seed in both]
    found = interval(values)
    return {"mean": float(np.mean(values)), "low": found and found[0], "high": found and found[1],
            "n": len(both)}


def rank_metric(names: list[str], wanted: str = "") -> str:
    """The metric that ranks.

    Args:
        names: all metrics.
        wanted: the user's choice.

    Raises:
        UserError: there is no such metric.
    """
    judging = [name for name in names if not ASIDE.match(name)]
    if wanted:
        if wanted not in judging:
            raise UserError(f"--rank={wanted}: no such score; there are {', '.join(judging)}")
        return wanted
    return next((name for pattern in PREFERRED for name in judging if re.match(pattern, name)), "")


def logged(run: Run, names: tuple) -> dict[str, float]:
    """Scalars of a run's training by name: the mean over the last quarter of its readings."""
    path = Path(run.params.log_dir, "metrics.jsonl")
    rows = [values for _, values in jsonl.read(path, strict=False)] if path.is_file() else []
    found = {}
    for name in names:
        values = [row[name] for row in rows if name in row]
        if values:
            found[name] = float(np.mean(values[3 * len(values) // 4:]))
    return found


def run_record(run: Run, known: State, scores: dict | None, shown: tuple = ()) -> dict:
    """Everything about one run.

    Args:
        shown: names of scores; those that no metric gave are looked for in the run's log.
    """
    points = (scores or NONE)["points"]
    last = points[-1] if points else None
    images = last["images"] if last and last["iteration"] == known.iterations else None
    final = last["results"] if last and known.status == "done" else {}
    if final:
        final = {**final, **logged(run, tuple(name for name in shown if name not in final))}
    record = {
        "variant": run.variant.name, "experiment": run.variant.experiment,
        "settings": dict(run.variant.settings), "system": run.params.system, "seed": run.seed,
        "status": known.status, "message": known.message,
        "iterations": known.iterations, "seconds": known.seconds, "peak_bytes": known.peak_bytes,
        "images": images, "images_per_second": images / known.seconds if images and known.seconds else None,
        "command": run.command, "folder": str(run.folder), "points": points,
        "scores": {n: v for n, v in final.items() if math.isfinite(v)},
        "neighbours": (scores or NONE)["neighbours"],
        "pictures": {name: str(run.folder / path) for name, path in (scores or NONE)["pictures"].items()},
    }
    return {**record, "flags": flags(record)}


def shares(scores: dict) -> dict[str, float]:
    """Class -> share of the samples."""
    found = ((SHARE.match(name), value) for name, value in scores.items())
    return {match[2]: value for match, value in found if match}


def flags(record: dict) -> list[str]:
    """What is wrong with a run: divergence, failure, signs of mode collapse."""
    found = []
    if record["status"] in ("diverged", "failed"):
        found.append(record["status"])
    counted = shares(record["scores"])
    rare = [name for name, share in counted.items() if share < LEAST_SHARE / len(counted)]
    if rare:
        found.append(f"class {rare[0]} nearly missing" if len(rare) == 1
                     else f"{len(rare)} classes nearly missing")
    near = record["neighbours"]
    if record["status"] == "done" and near and near["ratio"] is not None and near["ratio"] < NEAREST:
        found.append("samples repeat themselves")
    return found


def variant_record(name: str, records: list[dict], base: list[dict], metrics: list[str]) -> dict:
    """A variant over its seeds, each metric with its difference to the baseline."""
    table = {}
    for metric in metrics:
        mine, other = ({r["seed"]: r["scores"][metric] for r in runs if metric in r["scores"]}
                       for runs in (records, base))
        if mine:
            table[metric] = {**summary(list(mine.values())), "seeds": mine,
                             "difference": None if records is base else difference(mine, other)}
    done = [r for r in records if r["status"] == "done"]
    counted = [shares(r["scores"]) for r in done if shares(r["scores"])]
    mean = {key: float(np.mean([one[key] for one in counted])) for key in counted[0]} if counted else {}
    return {
        "name": name, "settings": records[0]["settings"], "experiment": records[0]["experiment"],
        "runs": records, "scores": table, "done": len(done),
        "diverged": sum(r["status"] == "diverged" for r in records),
        "failed": sum(r["status"] == "failed" for r in records), "shares": mean,
        "least_share": min((min(one.values()) for one in counted), default=None),
        **{key: _mean(done, key) for key in ("seconds", "iterations", "images_per_second", "peak_bytes")},
        "neighbours": _mean([{"ratio": (r["neighbours"] or {}).get("ratio")} for r in done], "ratio"),
    }


def _mean(records: list[dict], key: str) -> float | None:
    values = [r[key] for r in records if r[key] is not None]
    return float(np.mean(values)) if values else None


def compare(plan: Plan, known: list, protocol: dict, wanted: str = "", argv: tuple = (),
            shown: tuple = ()) -> dict:
    """The comparison, ready for JSON.

    Args:
        known: (run, state, scores or None) of the plan's runs.
        protocol: how the runs were scored.
        wanted: the metric that ranks, if not the default.
        argv: the command's arguments.
        shown: names of scores, or of scalars of the training, that the user asked for.

    Raises:
        UserError: no such metric.
    """
    records = [run_record(run, about, scores, shown) for run, about, scores in known]
    by_name = {v.name: [r for r in records if r["variant"] == v.name] for v in plan.variants}
    metrics = list(dict.fromkeys(name for r in records for point in r["points"]
                                 for name in point["results"]))
    metrics += [name for name in shown if name not in metrics]
    rank = rank_metric(metrics, wanted)
    base = by_name[plan.baseline.name]
    made = [variant_record(name, runs, base, metrics) for name, runs in by_name.items()]
    sign = 1 if lower_is_better(rank) else -1
    made.sort(key=lambda v: (rank not in v["scores"], sign * v["scores"].get(rank, {"mean": 0.0})["mean"]))
    return {"command": shlex.join(["tools/compare.py", *argv]), "budget": str(plan.budget),
            "seeds": list(plan.seeds), "baseline": plan.baseline.name, "rank": rank,
            "lower_is_better": lower_is_better(rank), "confidence": CONFIDENCE,
            "second": OPINIONS[rank] if OPINIONS.get(rank) in metrics else "",
            "order": [v.name for v in plan.variants],
            "metrics": [m for m in metrics if not ASIDE.match(m)], "protocol": protocol, "variants": made,
            "date": time.strftime("%Y-%m-%d %H:%M"), "machine": machine()}


def machine() -> dict:
    """Where the runs were made, as far as this process sees."""
    import tensorflow as tf

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        model = found[1] if found else model
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "gpus": [tf.config.experimental.get_device_details(d).get("device_name", d.name)
                     for d in tf.config.list_physical_devices("GPU")]}


# -- files -------------------------------------------------------------------------------------------------
COLUMNS = ("variant", "experiment", "system", "seed", "status", "iterations", "seconds", "images",
           "images_per_second", "peak_bytes", "message", "command")


def write_json(path: Path, comparison: dict) -> None:
    """Writes `results.json`; what is not finite becomes null.

    Raises:
        UserError: it cannot be written.
    """
    archive.write_bytes(path, json.dumps(_finite(comparison), indent=1, allow_nan=False).encode())


def _finite(value):
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(path: Path, comparison: dict) -> None:
    """Writes `results.csv`: a row a run, with its settings and all its final results.

    Raises:
        UserError: it cannot be written.
    """
    records = [record for variant in comparison["variants"] for record in variant["runs"]]
    settings = list(dict.fromkeys(name for record in records for name in record["settings"]))
    metrics = list(dict.fromkeys(name for record in records for name in record["scores"]))
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow([*COLUMNS, *(f"setting:{name}" for name in settings), *metrics])
    for record in records:
        rows.writerow([*(record[column] for column in COLUMNS),
                       *(record["settings"].get(name) for name in settings),
                       *(record["scores"].get(name) for name in metrics)])
    archive.write_bytes(path, text.getvalue().encode())


def write_hparams(folder: Path, comparison: dict) -> None:
    """Writes the runs for TensorBoard's HParams page, in place of those of an earlier report.

    Args:
        folder: of the event files; one folder a run in it.
    """
    import shutil

    import tensorflow as tf
    from tensorboard.plugins.hparams import api as hp

    shutil.rmtree(folder, ignore_errors=True)
    for variant in comparison["variants"]:
        for record in variant["runs"]:
            name = f"{Path(record['folder']).parent.name}-{Path(record['folder']).name}"
            with tf.summary.create_file_writer(str(folder / name)).as_default():
                settings = {"experiment": record["experiment"], "seed": record["seed"], **record["settings"]}
                hp.hparams(settings, trial_id=name)
                for metric, value in record["scores"].items():
                    tf.summary.scalar(metric, value, step=record["iterations"])
