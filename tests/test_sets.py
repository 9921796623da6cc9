"""The two sets of packages: with either, every system trains, resumes and samples; checkpoints cross between
them.

With OTHER_PYTHON=/path/to/python of an environment with the other set, that one reads, goes on from and
rewrites this one's checkpoints, and this one those of the other.
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from house.house_cases import EARLIER, prepare

ROOT = Path(__file__).resolve().parent.parent
CASES = ("rpgan", "rpgan_baseline", "glis_weight", "lis_iterative", "lis_separate", "dcgan", "gan64",
         "mixture", "sngan",
         "projection", "pggan")
OTHER = os.environ.get("OTHER_PYTHON", "")
# with one set, each system's own tests train and resume it; here one of each family's checkpoint formats
ONE_SET = ("rpgan", "glis_weight", "dcgan", "projection", "pggan")
NAMES = CASES if OTHER else ONE_SET
TWO_SETS = pytest.mark.skipif(not OTHER,
                              reason="OTHER_PYTHON names no interpreter with the other set of packages")

PROGRAM = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
from tfgan_suite import experiment
from tfgan_suite.files import archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.pictures import saving, sheets
from tfgan_suite.training import runs
from tfgan_suite.training.trainer import Trainer

class Short(Trainer):
    '''Stops after an iteration, as if the process had been stopped there.'''
    def save(self, done, whole=True):
        super().save(done, whole)
        if done == self.last:
            raise KeyboardInterrupt

for name in sys.argv[4:]:
    params = experiment.load(name, {"wts_dir": f"{sys.argv[2]}/{name}",
                                    "log_dir": f"logs/{sys.argv[2]}/{name}"})
    if Checkpoints(params.wts_dir).newest("state") != int(sys.argv[3]):
        trainer = Short(params, io.StringIO())
        trainer.last = int(sys.argv[3])
        try:
            trainer.run()
        except KeyboardInterrupt:
            pass
    system, number = runs.open_sampler(params)
    archive.write(f"{sys.argv[2]}/{name}_weights.npz", system.networks[system.sampling[0]].arrays())
    if system.makes_images:
        saving.save(f"{sys.argv[2]}/{name}.png", sheets.grid(system.to_uint8(
            system.generate(system.latents(4, 0), system.labels(4, 0))), 2, 2))
    else:
        system.write_samples(f"{sys.argv[2]}/{name}.png", 0)
    print(json.dumps([name, number]))
"""


def run(python, place, models, last, names=NAMES):
    """Trains the cases on, in order, to iteration `last`, samples, and writes the sampled weights anew, in
    one process."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")}
    done = subprocess.run([python, "-c", PROGRAM, str(ROOT), models, str(last), *names], cwd=place,
                          env=environment,
                          capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The experiments, and every system trained here for two iterations."""
    place = tmp_path_factory.mktemp("sets")
    prepare(place / "work")
    place = place / "work"
    for experiment in (place / "exp").glob("*.py"):
        text = experiment.read_text().replace("'models/", "'here/")
        experiment.write_text(text)
    (place / "here").mkdir()
    assert run(sys.executable, place, "here", 2) == [[name, 2] for name in NAMES]
    return place


def weights(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def same(a, b):
    a, b = weights(a), weights(b)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_train_resume_sample(place):
    shutil.copytree(place / "here", place / "resumed")
    assert run(sys.executable, place, "resumed", 4) == [[name, 4] for name in NAMES]
    for name in NAMES:
        assert (place / f"resumed/{name}.png").stat().st_size > 0
    assert set(EARLIER.values()) <= set(CASES)


@TWO_SETS
def test_checkpoints_cross_in_both_directions(place):
    """The other set writes the same bits of weights, goes on from them, and this one goes on from what that
    wrote."""
    shutil.copytree(place / "here", place / "there")
    # reads, trains nothing, writes weights
    assert run(OTHER, place, "there", 2) == [[name, 2] for name in NAMES]
    for name in NAMES:
        same(*(place / f"{side}/{name}_weights.npz" for side in ("here", "there")))
    assert run(OTHER, place, "there", 4) == [[name, 4] for name in NAMES]
    shutil.copytree(place / "there", place / "back")
    assert run(sys.executable, place, "back", 4) == [[name, 4] for name in NAMES]
    for name in NAMES:
        same(*(place / f"{side}/{name}_weights.npz" for side in ("there", "back")))
