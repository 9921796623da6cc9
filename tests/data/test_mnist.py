"""MNIST's IDX files, written here."""
import gzip

import numpy as np
import pytest

from tfgan_suite.data.mnist import Mnist
from tfgan_suite.errors import UserError


def idx(array, magic):
    head = np.array([magic, *array.shape], ">u4")
    return head.tobytes() + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for prefix, n in (("train", 5), ("t10k", 2)):
        images, labels = rng.integers(0, 256, (n, 28,
                                               28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx(images, 0x803))
        with gzip.open(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(idx(labels, 0x801))
    return tmp_path


def test_parts_plain_and_gzipped(folder):
    train, test, both = (Mnist(folder, part) for part in ("train", "test", "all"))
    assert (len(train), len(test), len(both)) == (5, 2, 7) and train.image(0).shape == (28, 28, 1)
    assert np.array_equal(both.array, np.concatenate([train.array, test.array]))
    assert both.labels.dtype == np.int32 and both.labels[5:].tolist() == test.labels.tolist()


def test_missing(tmp_path):
    with pytest.raises(UserError, match="no train-images-idx3-ubyte.*tools/datasets.py download mnist"):
        Mnist(tmp_path)
    with pytest.raises(UserError, match="no part"):
        Mnist(tmp_path, "dev")


@pytest.mark.parametrize("change, problem", [
    (lambda d: d[:-1], "fewer bytes"), (lambda d: d + b"x", "more bytes"),
    (lambda d: b"", "is not an MNIST image"),
    (lambda d: b"\0\0\x08\x01" + d[4:], "is not an MNIST image"),
    (lambda d: d[:4] + b"\xff" * 12, "claims to hold"),
    (lambda d: idx(np.zeros((4, 28, 28), np.uint8), 0x803), "4 train images but 5 labels")])
def test_broken_images(folder, change, problem):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=problem):
        Mnist(folder)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"\0\0\x08\x01\0\0\0\5abcde")[:-6]])
def test_broken_gzip(folder, content):
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(UserError, match="train-labels-idx1-ubyte.gz: "):
        Mnist(folder)


def test_a_bomb_is_not_unpacked(folder):
    head = idx(np.zeros((0, 28, 28), np.uint8), 0x803)[:4] + b"\0\x0f\xff\xff\0\0\0\x1c\0\0\0\x1c"
    (folder / "train-images-idx3-ubyte").unlink()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + bytes(1 << 20)))
    with pytest.raises(UserError, match="claims to hold 822082800 bytes"):
        Mnist(folder)


def test_labels_beyond_nine(folder):
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.array([0, 1, 2, 3, 77], np.uint8), 0x801))
    with pytest.raises(UserError, match="not the digits 0 to 9"):
        Mnist(folder)
