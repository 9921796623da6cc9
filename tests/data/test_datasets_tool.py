"""The command tools/datasets.py as users run it."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data.listfile import ListFile
from tfgan_suite.data.makelist import make_list
from tfgan_suite.errors import UserError

from .pictures import encoded, picture
from .server import serve
from .test_download import zipped

TOOL = Path(__file__).resolve().parents[2] / "tools" / "datasets.py"


def run(*arguments, cwd):
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], cwd=cwd, capture_output=True,
                          text=True, timeout=120)


def refused(result):
    """The one line of a refusal."""
    assert result.returncode == 2 and result.stdout == "" and result.stderr.count("\n") == 1, result
    return result.stderr


@pytest.fixture
def photos(tmp_path):
    for seed, (name, mode, size) in enumerate((("my photos/a.png", "RGBA", (40, 30)),
                                               ("my photos/x/b.jpg", "L", (20, 50)),
                                               ("my photos/c.webp", "RGB", (64, 64)))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture(size=size, mode=mode, seed=seed).save(tmp_path / name)
    (tmp_path / "my photos/broken.jpg").write_bytes(b"no")
    return tmp_path


def test_from_own_pictures_to_a_list_in_one_command(photos):
    result = run("list", "my photos", "data/mine.txt", "--size=16", cwd=photos)
    assert result.returncode == 0 and "3 pictures listed in data/mine.txt" in result.stdout, result.stderr
    assert "left out: my photos/broken.jpg" in result.stderr
    paths = (photos / "data/mine.txt").read_text().splitlines()
    assert len(paths) == 3 and all(p.startswith("data/mine/0000") for p in paths)
    assert all(Image.open(photos / p).size == (16, 16) for p in paths)
    assert "is there already" in refused(run("list", "my photos", "data/mine.txt", "--size=16", cwd=photos))


def test_list_without_copies(photos, monkeypatch):
    monkeypatch.chdir(photos)
    count, bad = make_list("my photos", "plain.txt", 0)
    assert count == 2 and len(bad) == 2  # WebP is no format of list files
    assert len(ListFile("plain.txt", 16, crop=True)) == 2


def test_lists_that_cannot_be_made(photos, monkeypatch):
    monkeypatch.chdir(photos)
    (photos / "empty").mkdir()
    (photos / "bad").mkdir()
    (photos / "bad/a.png").write_bytes(encoded()[:40])
    for folder, listing, problem in (("none", "a.txt", "no such folder"),
                                     ("empty", "a.txt", "no pictures in it"),
                                     ("bad", "a.txt", "none of its 1 pictures"),
                                     ("my photos", "a", "ends in .txt"),
                                     ("my photos", "bad/a.png/b.txt", "cannot write")):
        with pytest.raises(UserError, match=problem):
            make_list(folder, listing, 16)
    assert sorted(os.listdir(photos)) == ["bad", "empty", "my photos"]


def test_download_command(tmp_path):
    with serve({"anime_face.zip": zipped({"anime/1.png": encoded()})}) as (_, address):
        result = run("download", "anime", "data/anime", f"--base={address}", cwd=tmp_path)
        assert result.returncode == 0 and "1 files" in result.stdout, result.stderr
        assert (tmp_path / "data/anime/anime/1.png").read_bytes() == encoded()
        assert "already" in run("download", "ANIME", "data/anime", cwd=tmp_path).stdout


def test_several_sets_go_where_experiments_look(tmp_path):
    names = ("bedroom_train_lmdb", "bedroom_val_lmdb", "test_lmdb")
    files = {"anime_face.zip": zipped({"anime/1.png": encoded()}),
             **{f"{name}.zip": zipped({f"{name}/data.mdb": b"x"}) for name in names}}
    with serve(files) as (_, address):
        result = run("download", "LSUN", "anime", f"--base={address}", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (
        "3 files written to data/lsun" in result.stdout and "1 files written to data/anime" in result.stdout
    )
    assert all((tmp_path / f"data/lsun/{name}/data.mdb").exists() for name in names)


def test_download_command_checks(tmp_path):
    with serve({"img_align_celeba.zip": zipped({"img_align_celeba/000001.jpg": b"x"})}) as (_, address):
        assert "bytes, not 1443490838" in refused(run("download", "celebA", "c", f"--base={address}",
                                                      cwd=tmp_path))
        assert os.listdir(tmp_path / "c") == []
        assert run("download", "celebA", "c", f"--base={address}", "--nocheck", cwd=tmp_path).returncode == 0
        assert (tmp_path / "c/000001.jpg").exists()


def test_category_of_lsun(tmp_path):
    names = [f"church_outdoor_{part}_lmdb" for part in ("train", "val")]
    files = {f"{name}.zip": zipped({f"{name}/data.mdb": b"x"}) for name in names}
    with serve(files) as (_, address):
        assert run("download", "lsun", "l", "--category=church_outdoor", f"--base={address}",
                   cwd=tmp_path).returncode == 0
    assert (tmp_path / "l/church_outdoor_val_lmdb/data.mdb").exists()


def test_digits_split_and_imagenet_commands(tmp_path):
    assert run("digits", "d", "--size=8", cwd=tmp_path).returncode == 0
    split = run("split", "--dataset=folder", "--dataroot=d", "--running=20", "--final=100", cwd=tmp_path)
    assert "1697 images to train on, 100 for the final test, of which 20" in split.stdout, split.stderr
    with np.load(tmp_path / "d/data_index.npz") as index:
        assert index["final_test"].shape == (100,)
    os.makedirs(tmp_path / "raw/zero")
    os.rename(tmp_path / "d/0000.png", tmp_path / "raw/zero/0.png")
    result = run("imagenet", "raw", "out", "--size=4", cwd=tmp_path)
    assert "1 images prepared" in result.stdout and np.asarray(
        Image.open(tmp_path / "out/zero/0.JPEG")
    ).shape == (4, 4, 3)


@pytest.mark.parametrize("arguments, problem", [
    (("frobnicate",), "unknown command"),
    (("download", "cars", "x"), "there are celebA, lsun, mnist, cifar10, anime"),
    (("download",), "0 arguments given"), (("download", "mnist", "x", "y"), "unknown data set 'x'"),
    (("download", "mnist", "lsun", "--category=y"), "mnist has none"),
    (("download", "mnist", "x", "--bse=1"), "unknown option '--bse'"),
    (("download", "mnist", "x", "--category=y"), "belongs to lsun"),
    (("download", "imagenet", "x"), "without registering"),
    (("imagenet", "none", "x"), "none: no such folder"), (("export", "none", "x"), "none: No such file"),
    (("digits", "x", "--size=0"), "too small"), (("split",), "--dataroot")])
def test_refusals(tmp_path, arguments, problem):
    assert problem in refused(run(*arguments, cwd=tmp_path))
    assert os.listdir(tmp_path) == []


def test_help_needs_no_tensorflow(tmp_path):
    code = ("import sys, runpy; sys.argv = ['datasets.py', '--help']\n"
            f"try: runpy.run_path({str(TOOL)!r}, run_name='__main__')\n"
            "finally: assert 'tensorflow' not in sys.modules")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0 and "download NAME FOLDER" in result.stdout, result.stderr
    assert "--category" in run("download", "--help", cwd=tmp_path).stdout
