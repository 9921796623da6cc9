"""Runs cases of `house_cases`: python house_run.py OUT.json DEVICES PRECISION [CASE ...]

Adds to OUT.json: case -> devices and precision -> networks and scalars. With KEEP=FOLDER the checkpoints of
iteration 2 are kept there, as a fixture.
"""
from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]
from house_cases import prepare  # noqa: E402

KEPT = 2  # the iteration whose checkpoint is a fixture


def fingerprint(network) -> dict:
    """Names and shapes of a network's arrays, a hash of their values, and each one's mean magnitude."""
    digest, rows = hashlib.sha256(), {}
    for name, array in network.arrays():
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        rows[name] = [list(array.shape), float(np.mean(np.abs(array), dtype=np.float64))]
    return {"sha256": digest.hexdigest(), "arrays": rows}


def train(name: str, precision: str, keep: Path | None = None) -> dict:
    """Trains one case in the current folder; returns fingerprints of the first weights, and the scalars of
    each iteration."""
    from tfgan_suite import experiment
    from tfgan_suite.training.trainer import Trainer

    class Keeping(Trainer):
        def save(self, done, whole=True):
            super().save(done, whole)
            if keep is not None and done == KEPT:
                shutil.copytree(self.params.wts_dir, keep / name, dirs_exist_ok=True)

    places = {"wts_dir": f"models/{name}", "log_dir": f"logs/{name}"}
    trainer = Keeping(experiment.load(name, {**places, "precision": precision}), io.StringIO())
    first = {kind: fingerprint(network) for kind, network in trainer.system.networks.items()}
    trainer.run()
    return {"networks": first, "scalars": scalars(name)}


def scalars(name: str) -> list[dict]:
    """What metrics.jsonl holds of each iteration; values of events (which have the same iteration) are
    merged."""
    found: dict[int, dict] = {}
    for line in Path(f"logs/{name}/metrics.jsonl").read_text().splitlines():
        entry = json.loads(line)
        found.setdefault(entry["iteration"], {}).update({n: v for n, v in entry.items() if n != "time"})
    return [found[i] for i in sorted(found)]


def main(out: Path, devices: int, precision: str, names: list[str]) -> None:
    """Runs the cases one after the other in one process, on so many logical CPUs (more than one: one case a
    process)."""
    import tensorflow as tf

    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                               [tf.config.LogicalDeviceConfiguration()] * devices)
    keep = Path(os.environ["KEEP"]).resolve() if "KEEP" in os.environ else None
    result = json.loads(out.read_text()) if out.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        for name in names:
            result.setdefault(name, {})[f"{devices} {precision}"] = train(name, precision, keep)
            print(name, devices, precision, file=sys.stderr, flush=True)
    out.write_text(json.dumps(result, sort_keys=True))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
