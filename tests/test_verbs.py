"""sample.py, interp.py, fixbn.py, baseline_train.py, filts/rproj.py: argument forms, files, and what they
refuse."""
import io

import numpy as np
import pytest
from PIL import Image
from tiny import pictures, verb, workplace

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.rpgan import filters
from tfgan_suite.training import runs
from tfgan_suite.training.trainer import Trainer


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with an experiment trained for two iterations."""
    with pytest.MonkeyPatch.context() as patch:
        place = workplace(tmp_path_factory.mktemp("verbs"), patch)
        Trainer(experiment.load("tiny", {"MAXITER": "4", "SAVEFREQ": "2"}), io.StringIO()).run()
        verb("fixbn.py")(["tiny", "--n=9"])
        verb("fixbn.py")(["tiny", "2", "--n=9"])
        yield place


@pytest.fixture
def place(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def size(path):
    return Image.open(path).size


def test_sample(place, capsys):
    verb("sample.py")(["tiny", "a.png"])
    assert size("a.png") == (15 * 16, 10 * 16)
    path = "models/tiny/iter_4.gmodel.npz"
    assert capsys.readouterr().out == f"Restoring G from {path}\nDone!\nGenerating a.png\n"
    verb("sample.py")(["tiny,7", "b.jpg", "2", "--cols=3", "--rows=2"])
    assert size("b.jpg") == (3 * 16, 2 * 16)


def test_scale_enlarges_sheets(place):
    for scale in (1, 3):
        verb("sample.py")(["tiny", f"{scale}.png", "--rows=1", "--cols=2", f"--scale={scale}"])
        verb("interp.py")(["tiny", f"{scale}.gif", "1,2", "--gif", "--cols=2", f"--scale={scale}"])
    small, large = (np.asarray(Image.open(f"{scale}.png")) for scale in (1, 3))
    assert large.shape == (3 * 16, 3 * 32, 3) and Image.open("3.gif").size == (3 * 16, 3 * 16)
    for i in range(9):
        assert np.array_equal(large[i // 3::3, i % 3::3], small)


def test_sample_depends_on_the_seed_only(place):
    for name, seed in (("c", "1"), ("d", "1"), ("e", "2")):
        verb("sample.py")([f"tiny,{seed}", f"{name}.png", "--rows=2"])
    c, d, e = (np.asarray(Image.open(f"{n}.png")) for n in "cde")
    assert np.array_equal(c, d) and not np.array_equal(c, e)


def test_interp(place, capsys):
    verb("interp.py")(["tiny,7,4", "i.png", "1,2", "150,150"])
    assert size("i.png") == (11 * 16, 2 * 16)
    assert capsys.readouterr().out.startswith("Restoring G from models/tiny/iter_4.bgmodel.npz\nDone!\n")
    row = np.asarray(Image.open("i.png"))[16:]
    assert np.array_equal(row[:, :16], row[:, -16:])  # from an image to itself
    verb("interp.py")(["tiny,7,2", "i.gif", "1,2", "3,4", "--gif", "--cols=5"])
    strip = Image.open("i.gif")
    assert strip.n_frames == 5 and strip.size == (16, 32)


def test_interp_and_sample_agree_on_the_numbers(place):
    params = experiment.load("tiny")
    system, _ = runs.open_interpolator(params)
    table = system.latents(150, 7)
    assert np.array_equal(table[:3], system.latents(3, 7))


def test_fixbn_writes_what_the_original_reads(place):
    with np.load(Checkpoints("models/tiny").path("bg", 4)) as file:
        names = sorted(file.files)
    assert names == sorted(["c1_w", "c1_b", "c2_w", "c2_b", "c3_w", "c3_b", "bnm_c1_w", "bnv_c1_w",
                            "bnm_c2_w", "bnv_c2_w"])


def test_fixbn_knows_how_much_memory_there_is(place):
    with pytest.raises(UserError, match="--n=1000000000000: so many latents need about"):
        verb("fixbn.py")(["tiny", "--n=1000000000000"])


def test_fixbn_says_what_the_original_says(place, capsys):
    verb("fixbn.py")(["tiny", "--n=4"])
    path = "models/tiny/iter_4"
    assert capsys.readouterr().out == (f"Restoring G from {path}.gmodel.npz\nDone!\nRunning forward pass.\n"
                                       f"Saving to {path}.bgmodel.npz.\nDone!\n\n")


@pytest.mark.parametrize("name,argv,said", [
    ("sample.py", ["tiny"], "1 arguments given"),
    ("sample.py", ["tiny", "x.xyz"], "x.xyz: cannot write this format"),
    ("sample.py", ["tiny", "nowhere/x.png"], "does not exist"),
    ("sample.py", ["tiny", "x.png", "99"], "no such checkpoint; there are: 2, 4"),
    ("sample.py", ["tiny", "x.png", "--rows=100000", "--cols=100000"], "GiB are free"),
    ("sample.py", ["tiny", "x.png", "--label=3"], "has 0 classes; leave --label out"),
    ("sample.py", ["tiny", "many/", "--scale=2"], "enlarges sheets of images only"),
    ("sample.py", ["tiny,x", "x.png"], "SEED a whole number"),
    ("sample.py", ["tiny", "x.png", "--wts_dir=models/none"], "holds no iter_N.gmodel.npz"),
    ("interp.py", ["tiny", "x.png", "0,3"], "image 0 is out of range; numbers go from 1 to 150"),
    ("interp.py", ["tiny", "x.png", "3,151"], "image 151 is out of range"),
    ("interp.py", ["tiny", "x.png", "3"], "give a pair L,R"),
    ("interp.py", ["tiny", "x.png", "a,b"], "give a pair L,R"),
    ("interp.py", ["tiny", "x.png", "1,2", "--gif"], "ends in .gif"),
    ("interp.py", ["tiny", "x.png", "1,2", "--wts_dir=models/none"], "fixbn.py tiny"),
    ("interp.py", ["tiny", "x.png", "1,2", "--labels=0,1"], "not conditional"),
    ("fixbn.py", ["tiny", "99"], "no such checkpoint"),
    ("train.py", ["tiny", "--f1=16"], "was trained with f1=8"),
])
def test_refusals(place, name, argv, said):
    before = sorted(p.name for p in place.rglob("*"))
    with pytest.raises(UserError, match=said.replace(".", r"\.")) as caught:
        verb(name)(argv)
    assert "\n" not in str(caught.value)
    assert [n for n in sorted(p.name for p in place.rglob("*")) if "tfevents" not in n] == \
        [n for n in before if "tfevents" not in n]


def test_a_folder_that_is_not_writable(place, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match="not writable"):
        verb("sample.py")(["tiny", "x.png"])


def test_corrupt_weights(place):
    path = Checkpoints("models/tiny").path("g", 2)
    good = path.read_bytes()
    path.write_bytes(good[:500])
    with pytest.raises(UserError, match=r"iter_2\.gmodel\.npz: cannot be read"):
        verb("sample.py")(["tiny", "x.png", "2"])
    path.write_bytes(good)


def test_baseline(tmp_path, monkeypatch, capsys):
    workplace(tmp_path, monkeypatch)
    verb("train.py")(["tiny", "--MAXITER=2", "--wts_dir=models/base"], system="rpgan_baseline")
    out = capsys.readouterr().out
    assert "[000000001] Adam Loss: G=" in out and "L00" not in out
    files = Checkpoints("models/base")
    assert files.complete() == [2] and not (tmp_path / "models/base/filts.npz").exists()
    with np.load(files.path("d", 2)) as d:
        assert sorted(d.files) == sorted(f"c{j}_{k}" for j in range(4) for k in "wb")
    verb("sample.py")(["tiny", "s.png", "--wts_dir=models/base", "--rows=1"])


# -- filters -------------------------------------------------------------------------------------------------
def test_rproj(tmp_path, capsys):
    out = str(tmp_path / "filts.npz")
    verb("filts/rproj.py")([out, "8,2,1,3", "8,2,1,2", "--seed=5"])
    assert capsys.readouterr().out == f"Wrote 5 discriminator projections to {out}.\n"
    with np.load(out) as file:
        assert (
            file["nfilt"] == 5
            and file["s4"] == 2
            and file["s4"].dtype == np.int64
            and file["p4"].shape == (8, 8, 3, 1)
        )
        np.testing.assert_allclose(np.sum(file["p0"]**2, (0, 1, 2)), 1, rtol=1e-5)
    verb("filts/rproj.py")([str(tmp_path / "other"), "8,2,1,1"])  # as numpy.savez names it
    assert (
        capsys.readouterr().out.endswith(f"{tmp_path / 'other'}.npz.\n")
        and (tmp_path / "other.npz").is_file()
    )
    first = filters.load(out)
    verb("filts/rproj.py")([out, "8,2,1,5", "--seed=5"])
    np.testing.assert_array_equal(first[0].values, filters.load(out)[0].values)
    for bad in ("8,2,1", "8,2,1,0", "2,4,1,3", "a,b,c,d"):
        with pytest.raises(UserError, match="filters"):
            verb("filts/rproj.py")([out, bad])


def test_what_is_no_filter_file(tmp_path):
    path = tmp_path / "filts.npz"
    np.savez(path, nfilt=2, p0=np.zeros((4, 4, 3, 1)))
    with pytest.raises(UserError, match="not a filter file"):
        filters.load(path)
    np.savez(path, nfilt=1, p0=np.zeros((4, 4, 3, 1)), s0=5)
    with pytest.raises(UserError, match="filter 0 has stride 5"):
        filters.load(path)


def test_missing_filters_are_explained(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=r"filts/rproj\.py models/tiny/filts\.npz"):
        Trainer(experiment.load("tiny", {"filts": ""}))


@pytest.mark.parametrize("size_of_image,changes,said", [
    (16, {"imsz": "24"}, "imsz=24"), (8, {"imsz": "8"}, "8"), (16, {"chunk": "3"}, "chunk=3"),
])
def test_sizes_that_cannot_work(tmp_path, monkeypatch, size_of_image, changes, said):
    workplace(tmp_path, monkeypatch)
    pictures(tmp_path / "data", side=size_of_image)
    # the smallest size that works: one transposed convolution, to three channels
    if changes == {"imsz": "8"}:
        Trainer(experiment.load("tiny", {**changes, "MAXITER": "1"}), io.StringIO()).run()
        return
    with pytest.raises(UserError, match=said):
        Trainer(experiment.load("tiny", changes))


def test_images_of_another_size(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    pictures(tmp_path / "data", side=20)
    with pytest.raises(UserError, match=r"line 1 of .*is 20x20, not 16x16"):
        Trainer(experiment.load("tiny"), io.StringIO()).run()
    Trainer(experiment.load("tiny", {"crop": "true", "MAXITER": "2"}), io.StringIO()).run()
    assert Checkpoints("models/tiny").complete() == [2]
