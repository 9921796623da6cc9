"""The console commands of an installed package: `tfgan-train` is train.py, `tfgan-evaluate` is
tools/evaluate.py, and so on."""
from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tfgan_suite import experiment

COMMANDS = {
    "tfgan-train": "train.py",
    "tfgan-baseline-train": "baseline_train.py",
    "tfgan-sample": "sample.py",
    "tfgan-interp": "interp.py",
    "tfgan-fixbn": "fixbn.py",
    "tfgan-rproj": "filts/rproj.py",
    "tfgan-evaluate": "tools/evaluate.py",
    "tfgan-compare": "tools/compare.py",
    "tfgan-convert": "tools/convert.py",
    "tfgan-datasets": "tools/datasets.py",
    "tfgan-lis": "tools/lis.py",
    "tfgan-bench": "tools/bench.py",
}


def main() -> None:
    """Runs the script of the command that was called, as if it had been called itself."""
    path = experiment.SCRIPTS / COMMANDS[Path(sys.argv[0]).stem]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name="__main__")
