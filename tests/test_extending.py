"""What docs/extending.md tells works: its blocks are put where it says, in a copy of the suite, and used."""
import os
import re
import shutil
import subprocess
import sys

import pytest
from tiny import ROOT

PAGE = (ROOT / "docs/extending.md").read_text()
BLOCKS = re.findall(r"`((?:tfgan_suite|exp)/[\w/]+\.py)`[^\n]*:\n\n```python\n(.*?)```", PAGE, re.S)
ANY = ("system, data, imsz, width_g, width_d, zlen, bsz, MAXITER, SAVEFREQ = 'gan', 'digits', 16, 4, 4, 4, "
       "8, 2, 0\n"
       "architecture = 'mlp'\n")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The suite with everything of the page in it."""
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "tfgan_suite", place / "tfgan_suite", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "sample.py", "tools"):
        if (ROOT / name).is_dir():  # tools/tfgan_suite stays a link, to the copy
            shutil.copytree(ROOT / name, place / name, symlinks=True)
        else:
            shutil.copy(ROOT / name, place / name)
    (place / "exp").mkdir()
    (place / "exp/digits_any.py").write_text(ANY)
    for name, text in BLOCKS:
        (place / name).parent.mkdir(exist_ok=True)
        with open(place / name, "a") as file:
            file.write("\n\n" + text)
    return place


def run(copy, *words):
    environment = {**os.environ, "PYTHONPATH": str(copy), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True,
                          timeout=300,
                          check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_page_has_all_kinds():
    kinds = re.findall(r"^## A (\w+)", PAGE, re.M)
    assert kinds == ["loss", "penalty", "weight", "norm", "network", "metric", "data", "system"]
    assert len(BLOCKS) == PAGE.count("```python")


def test_a_system(copy):
    assert "Saved G weights" in run(copy, "train.py", "toy")
    run(copy, "sample.py", "toy", "out.png")
    assert (copy / "out.png").is_file()


def test_everything_else_in_one_run(copy):
    choices = ["--loss=exponential", "--penalty=r1,centre", "--centre_weight=0.5", "--weight_d=clipped",
               "--norm_d=batch_tf13",
               "--architecture=flat", "--data=stripes"]
    out = run(copy, "train.py", "digits_any", *choices)
    assert "centre=" in out and "r1=" in out
    assert "brightness" in run(copy, "tools/evaluate.py", "digits_any", "--metrics=brightness", "--n=20",
                               *choices)
