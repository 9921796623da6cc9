"""tfgan_suite.train, load and evaluate, and every block of docs/python.md."""
import re

import numpy as np
import pytest
import tqdm.autonotebook
from PIL import Image
from tiny import ROOT, verb, workplace

import tfgan_suite as ts
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import tfgan
from tfgan_suite.training import trainer

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.S)
SHORT = "\niteration, snapshot_interval, batchsize, n_gen_samples, gen_ch, dis_ch = 2, 1, 4, 4, 4, 4\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def test_the_four_lines_of_the_page(place):
    """On an experiment of the same name that takes seconds."""
    (place / "exp/digits_sngan.py").write_text((ROOT / "exp/digits_sngan.py").read_text() + SHORT)
    names = {}
    exec(BLOCKS[0].replace("iteration=200", "iteration=2"), names)
    assert names["run"].iteration == names["g"].iteration == 2
    assert names["images"].shape == (16, 16, 16, 3) and names["images"].dtype == np.uint8
    recorded = (place / "logs/digits_sngan/metrics.jsonl").read_text()
    assert names["scores"]["digits_is"] > 0 and '"digits_is"' in recorded
    assert f'"distances": "{tfgan.computed_by()}"' in recorded


@pytest.mark.parametrize("block", BLOCKS[1:], ids=["regulariser", "spectral norm", "projections"])
def test_a_block_for_a_gan_of_ones_own(block):
    names = {}
    exec(block, names)
    assert np.all(np.isfinite(names["logits" if "logits" in names else "loss"]))
    assert len([line for line in block.splitlines() if line.strip()]) <= 24


def test_the_same_as_the_commands(place, capsys):
    assert ts.train("tiny", MAXITER=2, crop=False).iteration == 2
    assert "Saved G weights to models/tiny/iter_2.gmodel.npz" in capsys.readouterr().out
    run = ts.train("tiny", MAXITER=3)  # goes on
    assert "Restoring G from models/tiny/iter_2.gmodel.npz" in capsys.readouterr().out and run.iteration == 3
    verb("sample.py")(["tiny,7", "a.png", "--rows=10", "--cols=15"])
    sheet = (
        np.asarray(Image.open("a.png"))
        .reshape(10, 16, 15, 16, 3)
        .transpose(0, 2, 1, 3, 4)
        .reshape(150, 16, 16, 3)
    )
    np.testing.assert_array_equal(run.load().sample(150, seed=7), sheet)
    assert ts.load("tiny", iteration=3).iteration == 3


@pytest.mark.parametrize("call, said", [
    (lambda: ts.train("tinny"), "did you mean 'tiny'"),
    (lambda: ts.train("tiny", MAXITR=2), "did you mean 'MAXITER'"),
    (lambda: ts.load("tiny", wts_dir="nowhere"), "holds no"),
    (lambda: ts.train("tiny", MAXITER=1).load().sample(2, label=1), "has 0 classes"),
    (lambda: ts.evaluate(ts.train("tiny", MAXITER=1).load(), ["digit"], 20), "unknown metric 'digit'"),
    (lambda: ts.evaluate(ts.train("tiny", MAXITER=1).load(), ["digits"], 20, split=2),
     "did you mean 'splits'"),
])
def test_mistakes_are_user_errors(place, call, said):
    with pytest.raises(UserError, match=said):
        call()


def test_a_notebook_has_a_bar(place, monkeypatch):
    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            bars.append(self)

    assert trainer.tqdm is tqdm.autonotebook.tqdm
    monkeypatch.setattr(trainer, "tqdm", Bar)
    ts.train("tiny", MAXITER=1)
    assert not bars  # no notebook, no terminal: lines
    Bar.__module__ = "tqdm.notebook"
    ts.train("tiny", MAXITER=2)
    assert [bar.n for bar in bars] == [2]
