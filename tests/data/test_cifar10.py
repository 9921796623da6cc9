"""CIFAR-10's archive, in the official format, written here; and what happens to hostile ones."""
import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from tfgan_suite.data.cifar10 import PARTS, Cifar10
from tfgan_suite.errors import UserError

NAMES = PARTS["all"]


def batch(seed, protocol=2, n=3):
    """(pickle of n images, planes [n, 3, 32, 32], labels)."""
    rng = np.random.default_rng(seed)
    planes, labels = rng.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, n).tolist()
    entries = {b"batch_label": b"some batch", b"labels": labels, b"data": planes.reshape(n, -1),
               b"filenames": [b"a.png"] * n}
    return pickle.dumps(entries, protocol), planes, labels


def as_python2(data: bytes) -> bytes:
    """The pickle as Python 2 wrote the official ones: strings in place of Python 3's detour for bytes."""
    pickler = io.BytesIO()
    entries = pickle.loads(data)
    array = entries[b"data"]

    def text(value):
        return b"T" + len(value).to_bytes(4, "little") + value

    def integers(values):
        return b"(" + b"".join(b"K" + bytes([v]) for v in values)

    pickler.write(b"\x80\x02}(" + text(b"labels") + b"]" + integers(entries[b"labels"]) + b"e"
                  + text(b"data"))
    pickler.write(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b")
                  + b"\x87R(K\x01")
    pickler.write(b"M" + len(array).to_bytes(2, "little") + b"M\x00\x0c\x86")
    pickler.write(b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03")
    pickler.write(text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + text(array.tobytes())
                  + b"tbu.")
    return pickler.getvalue()


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(batch(seed)[0])
    return tmp_path


def archived(files: dict, path, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.parametrize("part, count", [("train", 15), ("test", 3), ("all", 18)])
def test_extracted(folder, part, count):
    source = Cifar10(folder, part)
    assert len(source) == count and source.images([0]).shape == (1, 32, 32,
                                                                 3) and source.labels.dtype == np.int32
    _, planes, labels = batch(NAMES.index(PARTS[part][0]))
    assert np.array_equal(source.images(range(3)),
                          planes.transpose(0, 2, 3, 1)) and source.labels[:3].tolist() == labels
    assert source.classes[3] == "cat"


def test_archive_extracted_or_not(tmp_path, folder):
    path = archived({name: (folder / name).read_bytes() for name in NAMES},
                    tmp_path / "cifar-10-python.tar.gz")
    expected = Cifar10(folder).array
    assert np.array_equal(Cifar10(path).array, expected)
    for name in NAMES:
        os.renames(folder / name, folder / "cifar-10-batches-py" / name)
    assert np.array_equal(Cifar10(folder).array, expected)
    for name in NAMES:
        (folder / "cifar-10-batches-py" / name).unlink()
    assert np.array_equal(Cifar10(folder).array, expected)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_protocol(folder, protocol):
    data, planes, _ = batch(9, protocol)
    (folder / "test_batch").write_bytes(data)
    assert np.array_equal(Cifar10(folder, "test").array, planes.transpose(0, 2, 3, 1))


def test_python_2_pickles(folder):
    data, planes, labels = batch(11)
    (folder / "test_batch").write_bytes(as_python2(data))
    source = Cifar10(folder, "test")
    assert np.array_equal(source.array, planes.transpose(0, 2, 3, 1)) and source.labels.tolist() == labels


class _Bomb:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def hostile():
    good = pickle.loads(batch(0)[0])
    yield "system", pickle.dumps({**good, b"x": _Bomb(os.system, ("touch pwned",))})
    yield "open", pickle.dumps(_Bomb(open, ("pwned", "w")))
    yield "eval", b"c__builtin__\neval\n(S'open(\"pwned\",\"w\")'\ntR."
    yield "numpy loader", b"cnumpy\nload\n(S'x.npy'\ntR."
    yield "objects", pickle.dumps({**good, b"data": np.array([[None] * 3072])})
    yield "floats", pickle.dumps({**good, b"data": np.zeros((3, 3072), np.float32)})
    yield "great memo", b"\x80\x02I1\nr\xff\xff\xff\xff."
    yield "great string", b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x0fabc."
    yield "changes the reader", b"\x80\x02cnumpy\nndarray\nN}S'state'\nI1\ns\x86b."
    yield "text", b"hello"
    yield "empty", b""
    yield "list", pickle.dumps([1, 2])
    yield "truncated", batch(0)[0][:-200]
    yield "shape", pickle.dumps({**good, b"data": np.zeros((3, 100), np.uint8)})
    yield "labels", pickle.dumps({**good, b"labels": [0, 1, 10]})
    yield "few labels", pickle.dumps({**good, b"labels": [0, 1]})
    yield "no labels", pickle.dumps({b"data": good[b"data"]})


@pytest.mark.parametrize("name, content", list(hostile()), ids=[name for name, _ in hostile()])
def test_hostile_and_broken_batches(folder, monkeypatch, name, content):
    monkeypatch.chdir(folder)
    (folder / "data_batch_4").write_bytes(content)
    with pytest.raises(UserError, match="data_batch_4: .*") as caught:
        Cifar10(folder)
    assert "\n" not in str(caught.value) and not (folder / "pwned").exists()


def test_missing_parts(tmp_path, folder):
    (folder / "data_batch_3").unlink()
    with pytest.raises(UserError, match="data_batch_3: no such file.*tools/datasets.py download cifar10"):
        Cifar10(folder)
    with pytest.raises(UserError, match="no CIFAR-10 there.*https://.*"):
        Cifar10(tmp_path / "nothing")
    with pytest.raises(UserError, match="no part 'dev'"):
        Cifar10(folder, "dev")


def test_broken_archives(tmp_path, folder):
    files = {name: (folder / name).read_bytes() for name in NAMES if name != "data_batch_2"}
    with pytest.raises(UserError, match="has no data_batch_2"):
        Cifar10(archived(files, tmp_path / "a.tar.gz"))
    whole = archived({name: (folder / name).read_bytes() for name in NAMES}, tmp_path / "cut.tar.gz")
    whole.write_bytes(whole.read_bytes()[:-9000])
    with pytest.raises(UserError, match="cut.tar.gz: is broken or truncated"):
        Cifar10(whole)
    (tmp_path / "no.tar.gz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="no.tar.gz: is broken or truncated"):
        Cifar10(tmp_path / "no.tar.gz")
