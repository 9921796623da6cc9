"""The colour pictures of the npm package, with a stand-in for npm and for the archive."""
import hashlib
import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_suite import experiment
from tfgan_suite.data import emoji
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.lists import read_list
from tfgan_suite.errors import UserError

from .pictures import encoded
from .test_datasets_tool import refused, run


def clear(size=(64, 64)):
    """A picture that is red, and transparent on its left half."""
    array = np.zeros((*size, 4), np.uint8)
    array[..., 0], array[:, size[1] // 2:, 3] = 255, 255
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The archive's bytes and its record; `npm` on PATH gives it, and writes down what it was asked."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in (("package.json", b"{}"), ("img/twitter/sheets/64.png", encoded()),
                              ("img/twitter/64/1f600.png", clear()), ("img/twitter/64/1f601.png", clear())):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = buffer.getvalue()
    monkeypatch.chdir(tmp_path)
    Path("stand-in.tgz").write_bytes(content)
    npm(tmp_path, f'echo "$@" > {tmp_path}/asked\n'
        f'for word; do case "$word" in --pack-destination=*) cp {tmp_path}/stand-in.tgz '
        f'"${{word#*=}}/{emoji.ARCHIVE.name}";; esac; done\n')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return replace(emoji.ARCHIVE, size=len(content), digest=f"sha512:{hashlib.sha512(content).hexdigest()}")


def npm(place, text):
    (place / "bin").mkdir(exist_ok=True)
    (place / "bin/npm").write_text("#!/bin/sh\n" + text)
    (place / "bin/npm").chmod(0o755)


def test_pictures_list_and_licence(package, tmp_path):
    assert emoji.make("data/emoji.txt", archive=package) == 2
    assert f"pack {emoji.PACKAGE}@{emoji.VERSION} " in Path("asked").read_text()
    assert sorted(os.listdir("data")) == ["emoji", "emoji.txt"]
    assert read_list("data/emoji.txt") == [(1, "data/emoji/000000.png"), (2, "data/emoji/000001.png")]
    picture = np.asarray(Image.open("data/emoji/000000.png"))
    assert picture.shape == (64, 64, 3)
    assert tuple(picture[0, 0]) == (255, 255, 255) and tuple(picture[0, 63]) == (255, 0, 0)
    assert "CC-BY 4.0" in Path("data/emoji/LICENCE.txt").read_text()
    assert len(FolderSource("data/emoji")) == 2
    Path("asked").unlink()
    assert emoji.make("data/emoji.txt", archive=package) == 0 and not Path("asked").exists()


def test_an_archive_beside_the_list_needs_no_npm(package, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    Path("stand-in.tgz").rename(emoji.ARCHIVE.name)
    assert emoji.make("small.txt", size=16, background=(0, 0, 0), archive=package) == 2
    assert tuple(np.asarray(Image.open("small/000001.png"))[0, 0]) == (0, 0, 0)


@pytest.mark.parametrize("script, said", [
    ("exit 0", "could not fetch"),
    ("echo npm error 404 >&2; exit 1", r"could not fetch .*\(npm error 404\)")])
def test_an_npm_that_fails(package, tmp_path, script, said):
    npm(tmp_path, script)
    with pytest.raises(UserError, match=said):
        emoji.make("data/emoji.txt", archive=package)
    assert os.listdir("data") == []


def test_another_content_is_refused(package):
    with pytest.raises(UserError, match="has sha512 .*it is not used"):
        emoji.make("data/emoji.txt", archive=replace(package, digest="sha512:" + "0" * 128))
    assert os.listdir("data") == []


def test_the_command_without_npm_says_so_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "npm is not here" in refused(run("emoji", cwd=tmp_path))


def test_download_names_the_command(tmp_path):
    assert "get it with 'tools/datasets.py emoji'" in refused(run("download", "emoji", cwd=tmp_path))


def test_the_record_is_of_the_registry():
    kind, _, digest = emoji.ARCHIVE.digest.partition(":")
    assert kind == "sha512" and len(digest) == 128 and emoji.ARCHIVE.url.endswith(emoji.ARCHIVE.name)


@pytest.mark.parametrize("name", ["emoji_rpgan", "emoji_sngan", "emoji_jsreg", "emoji_any"])
def test_the_experiments_look_where_the_tool_puts_them(name):
    params = experiment.load(name)
    where = {params.values.get(key) for key in ("lfile", "data_dir", "data")} - {None}
    where |= {os.path.join(params.values.get("data_dir") or "", params.values.get("dataset") or "")}
    assert where & {"data/emoji.txt", "data/emoji"}
