"""The tables of docs/lis.md and docs/lis_tools.md: the experiments mean the originals' flags, and every
command runs on a tiny run of the digits; the sweep with a stand-in for the Inception graph."""
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tiny import ROOT

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.lis import inception_sweep
from tfgan_suite.metrics import cache
from tfgan_suite.metrics.graph_file import GraphFile

sys.path.insert(0, str(ROOT / "tests/metrics"))

import tiny_graph  # noqa: E402

SMALL = ("--nfeature=4", "--nlayer=2", "--code_size=6", "--batch_size=8", "--norm=weight", "--r_iterations=2")
SHORT = ("--niter=2", "--test_interval=1", "--vis_interval=1", "--save_interval=1", "--test_steps=1",
         "--vis_size=2", "--log_every=1")


def rows(page: str) -> list:
    """(old command, new command) of the rows of a page's first table; several in one cell each count."""
    text = (ROOT / f"docs/{page}.md").read_text().split("\n|---|---|\n")[1].split("\n\n")[0]
    found = []
    for line in text.splitlines():
        old, new = line.strip("| ").split(" | ")
        found += [(old, command) for command in re.findall(r"`((?:\./|tools/)[^`]*)`", new)]
    return found


def flags(text: str) -> dict:
    """`--name value` and `--name=value` in a cell; what is a value is not a flag."""
    return dict(re.findall(r"--(\w+)[= ]([^\s`-][^\s`]*)", text))


TRAINED = [(old, new) for old, new in rows("lis") if new.startswith("./train.py")]


@pytest.mark.parametrize("old, new", TRAINED)
def test_a_command_means_what_it_meant(old, new):
    """Each flag that the row names; folders are the user's."""
    name, *words = shlex.split(new)[1:]
    params = experiment.load(name, dict(word[2:].split("=") for word in words))
    folders = ("load_path", "save_path", "dataroot")
    given = {name: value for name, value in flags(old).items() if name not in folders}
    for flag, value in given.items():
        assert params.values[flag] == type(params.values[flag])(value), flag
    assert len(TRAINED) >= 8 and (given or "..." in old or "cats" in old or "160x160" in old or "same" in old)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(command: str, *more) -> None:
    """A command as on a command line, in this process."""
    program, *words = shlex.split(command)
    given = {word.split("=")[0] for word in more}
    words = [word for word in words if word.split("=")[0] not in given]
    runpy.run_path(str(ROOT / program))["main"]([*words, *more])


def test_the_programs_that_need_no_download(place, capsys):
    """digits_glis, R-separate on it, the same command again, both ways to the final test; and R-iterative."""
    run("./train.py digits_glis", *SMALL, *SHORT)
    separate = ("./train.py digits_lis_separate", "--load_path=models/digits_glis", *SMALL,
                *(word for word in SHORT if word != "--niter=2"))
    run(*separate, "--niter=1")
    run(*separate, "--niter=2")
    assert "Starting from Iteration 1" in capsys.readouterr().out
    run("tools/lis.py final-test digits_glis", *SMALL, "--test_steps=1", "--net=last")
    run("./train.py digits_glis", *SMALL, *SHORT, "--niter=2", "--final_test", "--net=last")
    run("tools/evaluate.py digits_glis --metrics=reconstruction", *SMALL, "--test_steps=1", "--n=8")
    assert "reconstruction" in capsys.readouterr().out
    run("./train.py digits_lis_iterative", *SMALL, *SHORT)
    assert Path("logs/digits_lis_iterative/loss.jpg").is_file()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny finished G-LIS run of two iterations, pictures to make smaller, and a graph."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("./train.py digits_glis", *SMALL, *SHORT)
    (folder / "A").mkdir()
    for i in range(6):
        Image.fromarray(np.full((20, 20, 3), 40 * i, np.uint8)).save(folder / "A" / f"{i}.png")
    tiny_graph.write(folder / "tiny.pb")
    return folder


@pytest.fixture
def trained(finished, place):
    """A copy of it in the current folder; gives the graph."""
    shutil.copytree(finished, place, dirs_exist_ok=True)
    return GraphFile(place / "tiny.pb", cache.sha256(place / "tiny.pb"))


def smaller(command: str, graph) -> list:
    """What makes a command of the page a short one."""
    sub = command.split()[1]
    words = {"split": ["--running=2", "--final=2"], "sample": ["--sheets=1"],
             "final-test": ["--test_steps=1"],
             "tsne": ["--nb_points=12"], "density": ["--nb_points=60", "--components=2"],
             "history": ["--kernel_size=1"], "bad": ["--n=20"],
             "sweep": ["--inception_images=24", "--nb_splits=2", "--inception_images_real=20",
                       "--graph=tiny.pb", f"--graph_sha256={graph.sha256}"]}.get(sub, [])
    return words + [*SMALL] * (sub not in ("split", "resize_images.py", "plot", "--image_size=80"))


def test_every_command_of_the_tools_page(trained, place):
    for r in range(3):  # maps that are there are used again, which spares the search for them
        path = place / f"logs/digits_glis/tsne_plots/embedded_points_r{r:02d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, np.random.default_rng(r).normal(0, 1, (12, 2)), delimiter=",")
    commands = [new for _, new in rows("lis_tools") if not new.startswith("./train.py")]
    assert {command.split()[0] for command in commands} == {"tools/datasets.py", "tools/resize_images.py",
                                                            "tools/lis.py"}
    for command in commands:
        command = command.replace("NAME", "digits_glis").replace("--dataroot=D", "--dataroot=A")
        command = command.replace("--load_paths A B", "--load_paths digits_glis logs/digits_glis")
        run(command, *smaller(command, trained))
    assert len([path for path in Path("B").iterdir() if path.is_file()]) == 6
    for path in ("A/data_index.npz", "logs/digits_glis/best_test/loss.json", "plot.png",
                 "logs/digits_glis/inception-scores.csv", "logs/digits_glis/history.csv",
                 "logs/digits_glis/bad_samples.json"):
        assert Path(path).is_file(), path


def test_the_sweep_gives_the_scores_of_the_graph(trained, place, capsys):
    """With a small graph of the original's tensor names: tables for both checkpoints and all numbers of
    modules, and the score of the training images is that of the graph's formulas."""
    words = ("--inception_images=24", "--nb_splits=2", "--inception_images_real=24", "--save_path=out",
             "--graph=tiny.pb", f"--graph_sha256={trained.sha256}")
    run("tools/lis.py sweep digits_glis", *SMALL, *words)
    said = re.findall(r"iteration (\d+): g0 [\d.]+, g1 [\d.]+, g2 [\d.]+", capsys.readouterr().out)
    assert said == ["1", "2"]
    head, *lines = Path("out/inception-scores.csv").read_text().splitlines()
    assert head.count(",") == 8 and [line.split(",")[1] for line in lines] == ["1", "2"]
    history = json.loads(Path("out/inception-history.json").read_text())
    assert list(history) == ["g0", "g1", "g2"] and all(1.0 <= row[1] <= 1008 for row in history["g1"])
    assert Path("out/inception.jpg").is_file() and Path("out/inception-scores-best.txt").is_file()
    from tfgan_suite.training import runs

    params = experiment.load("digits_glis", dict(word[2:].split("=") for word in SMALL))
    source = runs.build(params, training=False).source()
    scores = []
    for split in range(2):
        pictures = np.stack([np.asarray(Image.fromarray(x).resize((299, 299), Image.BILINEAR))
                             for x in source.images(np.arange(12 * split, 12 * split + 12))])
        p = tf.nn.softmax(tiny_graph.expected(pictures, tiny_graph.weights())[1].astype(np.float64)).numpy()
        scores.append(np.exp(np.mean(np.sum(p * (np.log(p) - np.log(p.mean(0))), 1))))
    _, mean, deviation = Path("out/inception-scores-real-data.csv").read_text().splitlines()[1].split(",")
    np.testing.assert_allclose([float(mean), float(deviation)], [np.mean(scores), np.std(scores)], rtol=2e-3)
    assert inception_sweep.SIDE == 299
    with pytest.raises(UserError, match="--inception_images: is less than --nb_splits"):
        run("tools/lis.py sweep digits_glis", *SMALL, *words[1:], "--inception_images=1")
