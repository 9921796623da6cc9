"""sample.py NAME FOLDER/ --n=N: single pictures, labels, going on, what is refused."""
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import ROOT

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.metrics.samples import SystemSamples
from tfgan_suite.training import runs

PROJECTION = ("system, dataset, network, gen_ch, dis_ch, dim_z, dim_emb = 'sngan_projection', 'digits', "
              "'16', 4, 3, 4, 3\n"
              "batchsize, n_gen_samples, n_dis = 4, 6, 2\n")
MIXTURE = "system, hidden, batch_size = 'jsreg_mixture', 8, 16\n"


def sample(*argv):
    runpy.run_path(str(ROOT / "sample.py"))["main"](list(argv))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Untrained weights of a conditional system and of one that makes points."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("singles")
        patch.chdir(folder)
        (folder / "exp").mkdir()
        for name, text in (("classes", PROJECTION), ("points", MIXTURE)):
            (folder / f"exp/{name}.py").write_text(text)
            system = runs.build(experiment.load(name), training=False)
            for number in (1, 2):
                Path(f"models/{name}").mkdir(parents=True, exist_ok=True)
                np.savez(f"models/{name}/iter_{number}.gmodel.npz", **dict(system.networks["g"].arrays()))
        yield folder


def test_pictures_and_labels_are_those_that_are_judged(place):
    sample("classes,3", "out/", "--n=230")
    params = experiment.load("classes")
    system, _ = runs.open_sampler(params)
    expected = list(SystemSamples(system, 230, 3).batches())
    shown = np.stack([np.asarray(Image.open(f"out/image_{i}.png")) for i in range(230)])
    np.testing.assert_array_equal(shown, np.concatenate([pictures for pictures, _ in expected]))
    labels = np.load("out/labels.npy")
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, np.concatenate([labels for _, labels in expected]))
    assert not Path("out/image_230.png").exists()
    assert json.loads(Path("out/samples.json").read_text())["iteration"] == 2


def test_goes_on_where_it_was(place, capsys):
    sample("classes", "whole/", "--n=210")
    sample("classes", "parts/", "--n=120")
    Path("parts/image_115.png").unlink()
    before = {i: Path(f"parts/image_{i}.png").stat().st_mtime_ns for i in range(100)}
    sample("classes", "parts", "--n=210")  # a folder that is there needs no stroke
    assert "210 pictures in parts, of which 115 were there already" in capsys.readouterr().out
    assert before == {i: Path(f"parts/image_{i}.png").stat().st_mtime_ns for i in range(100)}
    for i in range(210):
        assert Path(f"parts/image_{i}.png").read_bytes() == Path(f"whole/image_{i}.png").read_bytes()
    np.testing.assert_array_equal(np.load("parts/labels.npy"), np.load("whole/labels.npy"))


def test_one_class(place):
    sample("classes", "five/", "--n=7", "--label=5")
    assert np.load("five/labels.npy").tolist() == [5] * 7


def test_points(place):
    sample("points", "cloud/", "--n=50")
    assert np.load("cloud/samples.npz")["points"].shape == (50, 3)


def test_refusals(place):
    sample("classes", "taken/", "--n=3")
    with pytest.raises(UserError, match="taken: holds samples with seed=0; give another folder"):
        sample("classes,4", "taken/", "--n=3")
    with pytest.raises(UserError, match="holds samples with iteration=2"):
        sample("classes", "taken/", "1", "--n=3")
    with pytest.raises(UserError, match="--n=3: a.png is a file for one sheet; give a folder, a.png/"):
        sample("classes", "a.png", "--n=3")
    with pytest.raises(UserError, match="--label=10: classes has 10 classes, 0 to 9"):
        sample("classes", "b/", "--label=10")
    Path("other").mkdir()
    Image.new("RGB", (2, 2)).save("other/image_0.png")
    with pytest.raises(UserError, match="other: holds other pictures"):
        sample("classes", "other", "--n=3")
    Path("taken/samples.json").write_text("{")
    with pytest.raises(UserError, match="samples.json: cannot be read"):
        sample("classes", "taken", "--n=3")
