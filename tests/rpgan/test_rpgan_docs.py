"""Every command of docs/rpgan.md runs, on experiments of the same names that take seconds."""
import re
import shlex
from pathlib import Path

import pytest
from tiny import ROOT, RPGAN, pictures, verb

PAGE = (ROOT / "docs/rpgan.md").read_text()
BLOCKS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
TABLE = re.findall(r"^\| `([^`]+)` \| (?:`[^`]+`|the same)", PAGE, re.M)
SHORT = {"--size=64": "--size=16", "8,2,1,48": "4,2,1,2", "--bsz=64": "--bsz=4", "[ITER]": ""}


def order(command: str) -> int:
    """Filters and training come before what needs their results."""
    words = ["list", "rproj", "baseline", "face48", "train", "fixbn"]
    return next((i for i, word in enumerate(words) if word in command and "sample" not in command
                 and "interp" not in command), len(words))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Stand-ins for the experiments, their data and the user's FOLDER."""
    place = tmp_path_factory.mktemp("docs")
    (place / "exp").mkdir()
    for name in ("face12", "face48", "face1"):
        text = RPGAN.replace("data/list", "data/faces") + f"wts_dir = 'models/{name}'\n"
        (place / f"exp/{name}.py").write_text(text)
    pictures(place / "FOLDER", side=20)
    (pictures(place / "data")).rename(place / "data/faces.txt")
    return place


def test_there_are_commands():
    assert len(BLOCKS) >= 6 and len(TABLE) == 6


@pytest.mark.parametrize("command", sorted([*BLOCKS, *TABLE], key=order))
def test_command(place, monkeypatch, command):
    monkeypatch.chdir(place)
    script, *words = shlex.split(command)
    words = [SHORT.get(word, word) for word in words if SHORT.get(word, word)]
    if Path(script).name == "baseline_train.py":
        verb("train.py")(words, system="rpgan_baseline")
    else:
        verb(script.removeprefix("./"))(words)


def test_files_of_the_page(place):
    """What the commands above have left."""
    for name in re.findall(r"`(filts\.npz|iter_N\.\w+\.npz)`", PAGE):
        assert list((place / "models/mine").glob(name.replace("N", "*"))), name
    assert (place / "walk.png").is_file() and (place / "out.png").is_file()
