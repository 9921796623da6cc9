"""The embedded digits: defined bytes, and an export that train.py can read."""
import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import digits
from tfgan_suite.errors import UserError


@pytest.mark.parametrize("size", [4, 8, 16, 28, 32])
def test_arrays_have_the_promised_form(size):
    pictures, labels = digits.arrays(size)
    assert pictures.shape == (1797, size, size, 3) and pictures.dtype == np.uint8
    assert labels.shape == (1797,) and labels.dtype == np.int32 and set(labels) == set(range(10))
    assert np.array_equal(pictures[..., 0], pictures[..., 2])
    assert pictures.mean() < 100 and pictures.max() == 255  # bright ink on dark ground


def test_native_size_is_the_scan_itself():
    from sklearn.datasets import load_digits

    expected = np.floor(load_digits().images * 255 / 16 + 0.5)
    assert np.array_equal(digits.arrays(8)[0][..., 0], expected)


def test_bytes_never_change():
    """Reference classifier, experiments and published numbers depend on these bytes."""
    content = digits.arrays(16)[0].tobytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "d056d972b31b76c88c8d1462a6025b54eeffa1af549fa3f36b160e432f9dc831"
    )


def test_enlarging_agrees_with_pillow():
    scan = digits.arrays(8)[0][..., 0][:20].astype(np.float32)
    large = digits.arrays(32)[0][..., 0][:20]
    for small, ours in zip(scan, large):
        theirs = np.clip(np.asarray(Image.fromarray(small).resize((32, 32), Image.BICUBIC)), 0, 255)
        assert np.abs(theirs - ours).max() < 1.5


@pytest.mark.parametrize("size", [0, -3, 513])
def test_unusable_size(size):
    with pytest.raises(UserError, match="choose a size"):
        digits.arrays(size)


def test_export_lists_paths_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lfile = digits.export("data/digits16", 16)
    paths = lfile.read_text().split()
    labels = np.loadtxt("data/digits16/labels.txt", dtype=int)
    pictures, expected = digits.arrays(16)
    assert len(paths) == 1797 and paths[5] == "data/digits16/0005.png"
    assert np.array_equal(labels, expected)
    assert np.array_equal(np.asarray(Image.open(paths[1796])), pictures[1796])
    assert os.listdir("data") == ["digits16"]  # no partial folder is left


def test_export_is_done_once_and_its_list_follows_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    digits.export(tmp_path / "d", 8)
    written = os.stat("d/0000.png").st_mtime_ns
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    lfile = digits.export(tmp_path / "d", 8)
    assert lfile.read_text().split()[0] == str(tmp_path / "d/0000.png")
    assert os.stat(tmp_path / "d/0000.png").st_mtime_ns == written


def test_export_refuses_a_folder_of_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(UserError, match="no complete export"):
        digits.export(tmp_path, 8)
    assert os.listdir(tmp_path) == ["notes.txt"]
    digits.export(tmp_path / "d", 8)
    with pytest.raises(UserError, match="8x8, not 16x16"):
        digits.export(tmp_path / "d", 16)


def test_export_into_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        digits.export(tmp_path / "file" / "d", 8)
