"""tools/pggan_sample.py: which weights, which latents, sheets that a screen shows, single pictures."""
from types import SimpleNamespace

import numpy as np
import pytest
from pggan_support import SMALL, make_params
from PIL import Image
from tiny import verb

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.pggan import networks, paper, reports, sampling
from tfgan_suite.pggan.networks import Sizes
from tfgan_suite.pggan.system import PGGAN
from tfgan_suite.pictures import sheets

tool = verb("tools/pggan_sample.py")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Experiments `plain` and `labelled`, with weights in the folders `w` and `models/labelled`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    lines = "".join(f"{name} = {value!r}\n" for name, value in SMALL.items())
    (tmp_path / "exp/plain.py").write_text(f"system = 'pggan'\n{lines}")
    (tmp_path / "exp/labelled.py").write_text(f"system, networks, classes = 'pggan', 'paper', 3\n{lines}")
    for folder in ("w", "models/labelled"):
        (tmp_path / folder).mkdir(parents=True)
    for seed, kind in ((1, "g"), (2, "a")):
        made = networks.Generator(Sizes.of(make_params(**SMALL, seed=seed)))
        archive.write(Checkpoints("w").path(kind, 3), made.arrays())
    labelled = paper.Generator(Sizes.of(make_params(**SMALL, networks="paper", classes=3)))
    archive.write(Checkpoints("models/labelled").path("g", 5), labelled.arrays())
    return tmp_path


def picture(*words, name="out.png"):
    tool([*words, f"--outputFile={name}"])
    return np.asarray(Image.open(name).convert("RGB"))


def test_every_parameter_of_the_experiment_and_one_meaning_of_a_seed(place):
    """--wts_dir, NAME,SEED as --seed, and the latents of sample.py where nothing is cut."""
    wide = ["--wts_dir=w", "--nImages=32", "--cols=8", "--psiCut=100"]
    a, b, other = (picture(*words, *wide) for words in (["plain,7"], ["plain", "--seed=7"], ["plain"]))
    assert np.array_equal(a, b) and not np.array_equal(a, other)
    verb("sample.py")(["plain,7", "sheet.png", "--wts_dir=w"])
    sheet, cells = np.asarray(Image.open("sheet.png")), a[5:, 5:].reshape(4, 21, 8, 21, 3)[:, :16, :, :16]
    assert np.array_equal(sheet.reshape(4, 16, 8, 16, 3), cells)
    with pytest.raises(UserError, match="no parameter|unknown option"):
        tool(["plain", "--wtsdir=w"])
    with pytest.raises(UserError, match="unknown experiment"):
        tool(["plane"])


def test_the_average_on_request(place):
    """Of a name, and of a file beside which it lies."""
    average, trained = (picture("plain", "--wts_dir=w", flag) for flag in ("--ema", "--noema"))
    assert not np.array_equal(average, trained)
    assert np.array_equal(picture("w/iter_3.gmodel.npz", "--ema"), average)
    assert np.array_equal(picture("w/iter_3.amodel.npz", "--noema"), trained)
    assert np.array_equal(picture("plain", "--wts_dir=w"), trained)  # as the experiment says


def test_single_pictures_and_a_grey_one(place):
    """They are those of the sheet."""
    sheet = picture("w/iter_3.gmodel.npz", "--nImages=4", "--cols=4")
    tool(["w/iter_3.gmodel.npz", "--n=4", "--outputFile=singles/"])
    for i in range(4):
        single = np.asarray(Image.open(f"singles/image_{i}.png"))
        assert np.array_equal(single, sheet[5:21, 5 + 21 * i:21 + 21 * i])


def test_labels(place):
    """Image k has class k; one class on request; a bare file says how many there are."""
    every = picture("labelled", "--nImages=3", "--cols=3")
    ones = picture("labelled", "--nImages=3", "--cols=3", "--label=1")
    assert np.array_equal(every[:, 26:42], ones[:, 26:42]) and not np.array_equal(every[:, :21], ones[:, :21])
    file = "models/labelled/iter_5.gmodel.npz"
    assert np.array_equal(picture(file, "--nImages=3", "--cols=3"), every)
    for words, text in ((["labelled", "--label=3"], "have 3 classes"),
                        ([file, "--label=3"], "have 3 classes"),
                        (["plain", "--wts_dir=w", "--label=0"], "leave --label out"),
                        ([file, "--latentSize=9"], "these weights have 5")):
        with pytest.raises(UserError, match=text):
            tool(words)
    for flag in ("--growth", "--slerp"):
        tool(["labelled", "--nImages=2", flag, "--outputFile=a.gif"])
        assert Image.open("a.gif").size == (16, 16)


def test_sheets_fit_on_a_screen(place, monkeypatch, capsys):
    """Shrunk by a whole number, with a line; those of a run too."""
    monkeypatch.setattr(sampling, "draw", lambda network, z, *rest: np.zeros((len(z), 256, 256, 3),
                                                                             np.float32))
    found = picture("w/iter_3.gmodel.npz", "--nImages=20")
    assert found.shape[:2] == (1310 // 2, 1049 // 2) and "1/2 of their size" in capsys.readouterr().out
    big = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    np.testing.assert_array_equal(sheets.shrunk(big, 2)[0, 0], big[:2, :2].mean((0, 1)).round())
    system = PGGAN(make_params(**SMALL), training=False)
    assert system.pictures(0)["samples"].shape == (4 * 256 // 2, 8 * 256 // 2, 3)


@pytest.mark.parametrize("resolution, size", [(16, (38, 146)), (512, (1030, 1544)), (1024, (1030, 1544))])
def test_pictures_of_a_run_are_bounded(resolution, size):
    """Eight reals above eight fakes, or what 1920x1080 has room for."""
    moment = SimpleNamespace(resolution=resolution, iteration=0, level=0, alpha=1.0)
    black = np.zeros((1, resolution, resolution, 3), np.float32)
    system = SimpleNamespace(params=make_params(**SMALL), labels=lambda n, seed: None,
                             generate_at=lambda z, *rest: black.repeat(len(z), 0),
                             to_uint8=lambda x: np.zeros(x.shape, np.uint8),
                             reals_of_run=SimpleNamespace(pyramid=lambda source: Still(resolution)))
    assert reports.reals_above_fakes(system, moment, range(20)).shape == (*size, 3)


class Still:
    """A pyramid of black pictures."""

    mirror, source = False, range(20)

    def __init__(self, resolution):
        self.side = resolution

    def images(self, numbers, resolution):
        return np.zeros((len(numbers), self.side, self.side, 3), np.uint8)


def test_growth_keeps_all_of_the_run():
    """The ends of stages stay, the others are thinned evenly; frames are made one size."""
    chosen = reports.spread(list(range(1000)), lambda n: n in (3, 5, 998), 20)
    assert {3, 5, 998, 0, 999} <= set(chosen) and len(chosen) == 20
    gaps = np.diff([n for n in chosen if n not in (3, 5, 998)])
    assert gaps.max() - gaps.min() <= 3
    assert reports.spread([1, 2, 3], lambda n: True, 2) == [1, 2, 3]
    assert reports.spread([1, 2, 3], lambda n: n == 2, 1) == [2]
    picture = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    assert sampling.resized(picture, 16).shape == (16, 16, 3) and sampling.resized(picture, 4).shape == (4,
                                                                                                         4, 3)
