"""Every command of the README runs, on experiments of the same names that take seconds."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image
from tiny import ROOT, RPGAN, pictures

README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
            if line.strip()]


SHORT_DIGITS = "f1, df, MAXITER, SAVEFREQ, filts = 8, 4, 4, 4, '4,2,1,2'\n"
SHORT_ANY = "width_g, width_d, MAXITER = 4, 4, 4\n"
SHORT_SNGAN = "iteration, snapshot_interval, batchsize, n_gen_samples, gen_ch, dis_ch = 2, 1, 4, 4, 4, 4\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with stand-ins for what the README names: experiments, data, the user's FOLDER, and .venv."""
    place = tmp_path_factory.mktemp("readme")
    (place / "exp").mkdir()
    for name in ("face12", "face48", "face1"):
        (place / f"exp/{name}.py").write_text(RPGAN)
    (place / "exp/digits.py").write_text((ROOT / "exp/digits.py").read_text() + SHORT_DIGITS)
    (place / "exp/digits_sngan.py").write_text((ROOT / "exp/digits_sngan.py").read_text() + SHORT_SNGAN)
    (place / "exp/digits_any.py").write_text((ROOT / "exp/digits_any.py").read_text() + SHORT_ANY)
    pictures(place / "FOLDER", side=70)
    pictures(place / "data")
    venv = place / "venv"
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".requirements":
            (venv / entry.name).symlink_to(entry)
    packages = "requirements.txt" if tf.__version__.startswith("2.15.") else "requirements-current.txt"
    installed = [*((ROOT / name).read_text() for name in (packages, "pyproject.toml", "setup.py")), str(ROOT)]
    (venv / ".requirements").write_text("".join(installed))
    return place


def environment(place):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "VENV": str(place / "venv"), "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}


def order(command):
    """Filters and training come before what needs their results."""
    words = ["rproj", "baseline", "datasets", "./train.py face48", "./train.py", "fixbn"]
    return next((i for i, word in enumerate(words) if word in command), len(words))


@pytest.mark.parametrize("command", sorted(COMMANDS, key=order))
def test_command(place, command):
    if command == "tools/test":
        check_the_test_command()
    elif command.startswith("tensorboard"):
        check_tensorboard(place, shlex.split(command))
    else:
        first, *rest = shlex.split(command)
        done = subprocess.run([str(ROOT / first), *adapted(rest)], cwd=place, env=environment(place),
                              capture_output=True,
                              text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]


def adapted(words):
    """The stand-ins have 16x16 pictures."""
    return [{"--size=64": "--size=16", "8,2,1,48": "4,2,1,2", "--filts=8,2,1,12": "--filts=4,2,1,2"}.get(w, w)
            for w in words]


def check_the_test_command():
    """It is what runs this; that it can be called by the CI is what is left to see."""
    assert os.access(ROOT / "tools/test", os.X_OK)
    assert "tools/test" in (ROOT / ".ci/run").read_text()


def check_tensorboard(place, command):
    process = subprocess.Popen([*command, "--port=0"], cwd=place, env=environment(place),
                               stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "http://" in line:
                return
        raise AssertionError("TensorBoard ended without an address")
    finally:
        process.kill()
        process.wait()


def test_what_the_demo_promises(place):
    done = subprocess.run([str(ROOT / "tools/demo")], cwd=place, env=environment(place), capture_output=True,
                          text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("digits_samples.png", "digits_interp.png", "models/digits", "logs/digits"):
        assert (place / name).exists() and str(place / name) in done.stdout
    assert Image.open(place / "digits_samples.png").size == (15 * 16 * 4, 10 * 16 * 4)
    told = dict(re.findall(r"^(\w+): +(.+)$", done.stdout, re.M))
    ratio = re.search(r"^digits_is_ratio +(\S+)$", done.stdout, re.M)[1]
    assert told["Score"] == f"{ratio} of the real digits' (digits_is_ratio)" and float(ratio) > 0
    following = [shlex.split(line, comments=True)
                 for line in done.stdout.split("Next, after")[1].splitlines()[1:]]
    assert [Path(words[0]).name for words in following] == ["tensorboard", "sample.py", "train.py"]
    assert all(Path(words[0]).is_file() for words in following[1:])
    assert done.stdout.count("Adam Loss") <= 4  # a line a second, for four iterations


@pytest.mark.parametrize("python,others,status,said", [
    ("python-that-is-not-there", True, 2, "is not Python 3.9 to 3.13"),
    ("python-that-is-not-there", False, 2, "on PATH these would do: none"),
])
def test_a_wrong_python_is_told_before_anything_is_installed(tmp_path, python, others, status, said):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}" if others else "/usr/bin:/bin"
    if not others:
        fake = tmp_path / "bin"
        fake.mkdir()
        for name in ("python3", "python", *(f"python3.{minor}" for minor in range(9, 14))):
            (fake / name).write_text("#!/bin/sh\nexit 1\n")
            (fake / name).chmod(0o755)
        path = f"{fake}:{path}"
    env = {**os.environ, "VENV": str(tmp_path / "venv"), "PYTHON": python, "PATH": path}
    done = subprocess.run([str(ROOT / "tools/demo")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert said in done.stderr and done.stderr.count("\n") == 1 and not (tmp_path / "venv").exists()
    if others:
        assert "bin/python" in done.stderr


def test_no_command_of_the_table_is_missing():
    for script in ("train.py", "baseline_train.py", "sample.py", "interp.py", "fixbn.py", "rproj.py"):
        assert script in README
