"""LSUN: `files/tiny.mdb.gz` was written by lmdb 0.9.36 (the C library): 40 lossless WebP images of 10x12, key
sha1(i), image i filled with (i, 2i, 255-i), but number 7, which has 48x48 random pixels and lies on overflow
pages."""
import gzip
import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tfgan_suite.data.lmdb import Lmdb
from tfgan_suite.data.lsun import LsunSource
from tfgan_suite.errors import UserError

from .pictures import encoded

CONTENT = gzip.decompress((Path(__file__).parent / "files" / "tiny.mdb.gz").read_bytes())
KEYS = sorted(hashlib.sha1(str(i).encode()).hexdigest().encode() for i in range(40))
NUMBERS = sorted(range(40), key=lambda i: hashlib.sha1(str(i).encode()).hexdigest())


@pytest.fixture
def root(tmp_path):
    (tmp_path / "bedroom_train_lmdb").mkdir()
    (tmp_path / "bedroom_train_lmdb" / "data.mdb").write_bytes(CONTENT)
    return tmp_path


def test_keys_in_order(root):
    file = Lmdb(root / "bedroom_train_lmdb")
    assert [key for key, _, _ in file.places()] == KEYS and len(file) == 40


@pytest.mark.parametrize("inside", ["", "bedroom_train_lmdb"])
def test_images(root, inside):
    source = LsunSource(root / inside)
    assert len(source) == 40
    for place, number in enumerate(NUMBERS):
        image = source.image(place)
        if number == 7:
            assert image.shape == (48, 48, 3) and np.std(image) > 60
        else:
            assert image.shape == (12, 10, 3) and image[3, 4].tolist() == [number, 2 * number, 255 - number]


def test_exported_folder(tmp_path):
    for name in ("a/b/1.webp", "a/2.webp"):
        (tmp_path / "church_outdoor_train" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "church_outdoor_train" / name).write_bytes(encoded("WEBP"))
    assert len(LsunSource(tmp_path, "church_outdoor_train")) == 2


def test_missing(tmp_path):
    with pytest.raises(UserError, match="bedroom_train_lmdb.*tools/datasets.py download lsun"):
        LsunSource(tmp_path)
    (tmp_path / "bedroom_train_lmdb.zip").write_bytes(b"")
    with pytest.raises(UserError, match="not unpacked yet; run 'unzip"):
        LsunSource(tmp_path)


def broken():
    root_page = int.from_bytes(CONTENT[4096 + 16 + 24 + 80 + 8:][:8], "little") or 5
    yield "empty", b"", "is empty"
    yield "text", b"hello" * 2000, "not an LMDB file"
    yield "short", CONTENT[:100], "not an LMDB file"
    yield "cut", CONTENT[:len(CONTENT) // 2], "broken or truncated"
    yield "only meta pages", CONTENT[:8192], "broken or truncated"
    for name, value in (("ones", b"\xff"), ("zeros", b"\0")):
        content = CONTENT[:root_page * 4096] + value * 4096 + CONTENT[(root_page + 1) * 4096:]
        yield f"root of {name}", content, "broken or truncated"


@pytest.mark.parametrize("name, content, problem", list(broken()), ids=[case[0] for case in broken()])
def test_broken_files(root, name, content, problem):
    (root / "bedroom_train_lmdb" / "data.mdb").write_bytes(content)
    with pytest.raises(UserError, match=problem):
        LsunSource(root)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_crashes(root, seed):
    """Whatever the bytes say, the reader ends with images or with one line."""
    rng = np.random.default_rng(seed)
    damaged = bytearray(CONTENT)
    for place in rng.integers(8192, len(CONTENT), 400):
        damaged[place] = rng.integers(256)
    (root / "bedroom_train_lmdb" / "data.mdb").write_bytes(bytes(damaged))
    try:
        source = LsunSource(root)
        for i in range(len(source)):
            source.image(i)
    except UserError as error:
        assert "\n" not in str(error)


def test_systems_read_what_the_download_leaves(tmp_path):
    from tfgan_suite.jsreg.dcgan import data as dcgan_data
    from tfgan_suite.jsreg.gan64 import data as gan64_data

    for part in ("train", "val"):
        (tmp_path / f"lsun/bedroom_{part}_lmdb").mkdir(parents=True)
        (tmp_path / f"lsun/bedroom_{part}_lmdb/data.mdb").write_bytes(CONTENT)
    source = gan64_data.open_source("lsun", str(tmp_path))
    assert source.images([0, 39]).shape == (2, 64, 64, 3) and len(source.validation) == 40
    params = SimpleNamespace(dataset="lsun", data_dir=tmp_path, input_height=10, input_width=0,
                             input_fname_pattern="*.jpg", background="white")
    assert dcgan_data.source(params, (16, 16)).images([3, 4]).shape == (2, 16, 16, 3)
