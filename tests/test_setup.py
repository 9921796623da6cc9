"""tools/setup.sh on a small stand-in for this repository, with wheels that are made here; what the package
says it needs."""
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tiny import ROOT

from tfgan_suite import commands

BACKEND = """import os
import zipfile
def build_editable(folder, settings=None, metadata=None):
    with open("asked", "w") as file:
        file.write(os.environ["PIP_RETRIES"] + " " + os.environ["PIP_DEFAULT_TIMEOUT"])
    with zipfile.ZipFile(f"{folder}/small-0-py3-none-any.whl", "w") as file:
        file.writestr("small-0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 0\\n")
        file.writestr("small-0.dist-info/WHEEL",
                      "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr("small-0.dist-info/RECORD", "")
    return "small-0-py3-none-any.whl"
"""


def wheel(folder, name):
    """A wheel of one module that says its name."""
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        file.writestr(f"{info}/WHEEL",
                      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def place(tmp_path):
    """A repository of one package that needs one wheel, in each of the two sets another one."""
    root = tmp_path / "root"
    (root / "tools").mkdir(parents=True)
    (root / "wheels").mkdir()
    shutil.copy(ROOT / "tools/setup.sh", root / "tools")
    (root / "tools/go").write_text('#!/usr/bin/env bash\nset -euo pipefail\n. "$(dirname '
                                   '"${BASH_SOURCE[0]}")/setup.sh"\n'
                                   'echo "ready: $*"; command -v python\n')
    (root / "tools/go").chmod(0o755)
    for name, packages in (("tried", "requirements.txt"), ("fresh", "requirements-current.txt")):
        wheel(root / "wheels", name)
        (root / packages).write_text(f"{name}\n")
    (root / "pyproject.toml").write_text("[build-system]\nrequires = []\nbuild-backend = "
                                         "'backend'\nbackend-path = ['.']\n")
    (root / "backend.py").write_text(BACKEND)
    (root / "setup.py").write_text("")
    return root


def go(root, *words, path="", **env):
    """Sets up, with wheels from a folder and no network."""
    environment = {**os.environ, "PYTHON": sys.executable, "PIP_FIND_LINKS": str(root / "wheels"),
                   "PIP_NO_INDEX": "1", **env}
    environment["PATH"] = f"{path}:{environment['PATH']}" if path else environment["PATH"]
    for name in ("VENV", "PIP_RETRIES", "PIP_DEFAULT_TIMEOUT"):
        environment.pop(name, None)
    environment.update(env)
    return subprocess.run([str(root / "tools/go"), *words], env=environment, capture_output=True, text=True,
                          timeout=300,
                          check=False)


def has(root, name):
    return bool(list((root / ".venv").glob(f"lib/*/site-packages/{name}.py")))


OLD = pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python is none of the original set")
NEW = pytest.mark.skipif(sys.version_info < (3, 10), reason="this Python is none of the current set")


@OLD
@NEW
def test_wheels_of_a_folder_a_second_call_an_interruption_and_the_other_set(place):
    first = go(place, "a", "b")
    assert first.returncode == 0, first.stderr
    assert (
        "requirements.txt into" in first.stdout
        and "checked with" in first.stdout
        and "MB of disk" in first.stdout
    )
    assert first.stdout.endswith(f"ready: a b\n{place}/.venv/bin/python\n") and has(place, "tried")
    assert (place / "asked").read_text() == "10 60"  # pip's retries, and seconds of patience
    assert go(place).stdout.startswith("ready: ")
    (place / ".venv/.requirements").unlink()
    again = go(place, PIP_RETRIES="2")
    assert "was interrupted; it starts anew" in again.stdout and again.returncode == 0
    assert (place / "asked").read_text() == "2 60"  # what the user sets holds
    other = go(place, "--current", "a")
    assert "requirements-current.txt into" in other.stdout and "--current asks for it" in other.stdout
    assert "ready: a\n" in other.stdout and has(place, "fresh") and not has(place, "tried")
    assert go(place).stdout.startswith("ready: ")  # what is finished stays, whichever set it is


@NEW
def test_a_wheel_that_is_not_there_is_told_and_leaves_no_finished_place(place):
    (place / "requirements-current.txt").write_text("nowhere-to-be-found\n")
    done = go(place, "--current")
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("go: the packages could not be "
                                                                            "installed")
    assert not (place / ".venv/.requirements").exists()


def fake(folder, **scripts):
    """A folder for PATH with commands that are not the real ones."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    return folder


def refused(done, said):
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_too_little_room_is_told_before_the_download(place, tmp_path):
    df = "echo Filesystem 1024-blocks Used Available; echo disk 9000000 8900000 100000"
    refused(go(place, path=str(fake(tmp_path / "bin", df=df))), "has 97 MB free, the packages take about")
    assert not (place / ".venv").exists()


def test_a_python_without_venv_names_the_package_of_debian(place, tmp_path):
    bare = fake(tmp_path / "bin",
                bare=f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"\n') / "bare"
    version = "{}.{}".format(*sys.version_info)
    refused(go(place, PYTHON=str(bare)), f"apt install python{version}-venv")
    assert not (place / ".venv").exists()


def test_a_folder_of_the_user_is_not_cleared(place, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    refused(go(place, VENV=str(mine)), "is no virtual environment")
    assert (mine / "letter.txt").read_text() == "dear"


def test_a_newer_python_gets_the_current_set_and_is_told_why(place, tmp_path):
    """The stand-in says of itself that it is 3.13, and has no venv, so that nothing is installed."""
    newer = 'case "$2" in *"<= (3, 11)"*) exit 1;; *"<= (3, 13)"*) exit 0;; '\
            '*ensurepip*) exit 1;; *) echo 3.13;; esac\n'
    done = go(place, PYTHON=str(fake(tmp_path / "bin", newer=newer) / "newer"))
    assert (
        "requirements-current.txt into" in done.stdout
        and "no Python 3.9, 3.10 or 3.11 is here" in done.stdout
    )
    refused(done, "apt install python3.13-venv")


# -- what is needed ------------------------------------------------------------------------------------------
def names(text):
    return {re.split(r"[\[<>=!~]", line)[0].strip().lower() for line in text.splitlines() if line
            and line[0] not in "#-"}


def project():
    text = (ROOT / "pyproject.toml").read_text()
    return re.findall(r'"([^"]+)"', re.search(r"^dependencies = \[(.*?)\]$", text, re.M | re.S)[1])


@pytest.mark.parametrize("packages", ["requirements.txt", "requirements-current.txt"])
def test_both_sets_have_what_the_package_needs_and_no_cuda(packages):
    text = (ROOT / packages).read_text().lower()
    assert names("\n".join(project())) <= names(text)
    assert "cuda" not in text and "nvidia" not in text


def test_every_console_command_has_a_script_and_is_declared():
    text = (ROOT / "pyproject.toml").read_text()
    declared = re.findall(r'^(tfgan-[a-z-]+) = "tfgan_suite\.commands:main"$', text, re.M)
    assert sorted(declared) == sorted(commands.COMMANDS)
    for name in commands.COMMANDS.values():
        assert (ROOT / name).is_file()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package as `pip install .` puts it, in a folder."""
    place = tmp_path_factory.mktemp("installed")
    copy = place / "copy"
    shutil.copytree(ROOT, copy,
                    ignore=shutil.ignore_patterns(".*", "tests", "models", "logs", "data/", "build",
                                                  "*.egg-info"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
               "--no-index",
               "--disable-pip-version-check", f"--target={place}/lib", str(copy)]
    subprocess.run(command, check=True, timeout=300)
    shutil.rmtree(copy)
    return place


def command(place, name, *words):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run([sys.executable, str(place / "lib/bin" / name), *words], cwd=place,
                          capture_output=True, text=True,
                          env={**environment, "PYTHONPATH": str(place / "lib")}, timeout=300, check=False)


def test_the_installed_commands_train_and_sample(installed):
    assert sorted(p.name for p in (installed / "lib/bin").glob("tfgan-*")) == sorted(commands.COMMANDS)
    small = ("--f1=8", "--df=4", "--filts=4,2,1,2")
    for words in (("tfgan-train", "digits", "--MAXITER=2", *small),
                  ("tfgan-sample", "digits", "out.png", "--rows=1", *small)):
        done = command(installed, *words)
        assert done.returncode == 0, done.stderr
    assert (installed / "out.png").is_file() and Path(installed, "models/digits/iter_2.gmodel.npz").is_file()


def test_the_trained_weights_are_installed(installed):
    there = {path.relative_to(ROOT / "pretrained") for path in (ROOT / "pretrained").glob("*/*")}
    place = installed / "lib/tfgan_suite/pretrained"
    assert there and there == {path.relative_to(place) for path in place.glob("*/*")}


@pytest.mark.parametrize("name", sorted(set(commands.COMMANDS) - {"tfgan-train", "tfgan-sample"}))
def test_the_other_installed_commands_show_their_help(installed, name):
    done = command(installed, name, "--help")
    assert done.returncode == 0 and Path(commands.COMMANDS[name]).name in done.stdout, done.stderr
