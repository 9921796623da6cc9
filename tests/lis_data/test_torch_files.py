"""Files of torch.save, read without torch: both layouts, and nothing but tensors and plain values."""
import pickle
import struct
import zipfile

import numpy as np
import pytest

from tfgan_suite.errors import UserError
from tfgan_suite.files import torch


def save_rows(path, value, storages=()):
    """The layout of 2017, with an object that has been pickled already."""
    head = b"".join(pickle.dumps(x, 2) for x in (torch.MAGIC, 1001, {"little_endian": True}))
    keys = pickle.dumps([str(i) for i in range(len(storages))], 2)
    data = b"".join(struct.pack("<q", a.size) + a.tobytes() for a in storages)
    path.write_bytes(head + value + keys + data)


def tensor_opcodes(key, kind, shape, strides, offset=0, count=6):
    """A pickle of one tensor, assembled by hand."""
    def text(s):
        return b"X" + struct.pack("<I", len(s)) + s.encode()

    def number(n):
        return b"J" + struct.pack("<i", n)

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    identity = (
        b"("
        + text("storage")
        + f"ctorch\n{kind}\n".encode()
        + text(key)
        + text("cpu")
        + number(count)
        + b"Nt"
    )
    return (b"\x80\x02ctorch._utils\n_rebuild_tensor\n(" + identity + b"Q" + number(offset) + numbers(shape)
            + numbers(strides)
            + b"tR.")


def test_strided_tensors_of_the_old_layout(tmp_path):
    storage = np.arange(6, dtype=np.float32)
    save_rows(tmp_path / "a.pt", tensor_opcodes("0", "FloatStorage", (2, 3), (1, 2)), [storage])
    np.testing.assert_array_equal(torch.load(tmp_path / "a.pt"), storage.reshape(3, 2).T)
    save_rows(tmp_path / "b.pt", tensor_opcodes("0", "LongStorage", (2,), (1,), offset=3), [np.arange(6)])
    np.testing.assert_array_equal(torch.load(tmp_path / "b.pt"), [3, 4])


def test_the_zip_layout(tmp_path):
    storage = np.arange(6, dtype=np.float32)
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        pickled = tensor_opcodes("7", "FloatStorage", (6,), (1,)).replace(b"N" + b"t" + b"Q", b"tQ")
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/7", storage.tobytes())
    np.testing.assert_array_equal(torch.load(tmp_path / "a.pt"), storage)


@pytest.mark.parametrize("shape, strides, offset",
                         [((7,), (1,), 0), ((2, 3), (4, 1), 0), ((2,), (1,), 5), ((2,), (-1,), 3)])
def test_tensors_that_reach_beyond_their_storage(tmp_path, shape, strides, offset):
    save_rows(tmp_path / "a.pt", tensor_opcodes("0", "FloatStorage", shape, strides, offset),
              [np.zeros(6, np.float32)])
    with pytest.raises(UserError, match="beyond its storage|odd sizes"):
        torch.load(tmp_path / "a.pt")


def test_no_code_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "made"), "w")

    save_rows(tmp_path / "a.pt", pickle.dumps({"a": Evil()}, 2))
    with pytest.raises(UserError, match="which is no plain value"):
        torch.load(tmp_path / "a.pt")
    assert not (tmp_path / "made").exists()


def test_damaged_and_other_files(tmp_path):
    path = tmp_path / "a.pt"
    with pytest.raises(UserError, match="no such file"):
        torch.load(path)
    for content in (b"", b"PK\x03\x04", b"hello", pickle.dumps(5), pickle.dumps([1, 2], 2)):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no readable file of torch.save"):
            torch.load(path)
    save_rows(path, tensor_opcodes("0", "FloatStorage", (6,), (1,)), [np.zeros(6, np.float32)])
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(UserError, match="no readable file"):
            torch.load(path)


@pytest.mark.parametrize("shape, strides",
                         [((10**12,), (0,)), ((400_000_000,), (0,)), ((7,), (0,)), ((2,) * 40, (0,) * 40)])
def test_tensors_are_no_larger_than_their_storage(tmp_path, shape, strides):
    value = tensor_opcodes("0", "FloatStorage", (6,), (1,))
    numbers = b"(" + b"J" + struct.pack("<i", 6) + b"t" + b"(" + b"J" + struct.pack("<i", 1) + b"t"
    assert numbers in value
    value = value.replace(numbers, pickle.dumps(shape, 2)[2:-1] + pickle.dumps(strides, 2)[2:-1])
    save_rows(tmp_path / "a.pt", value, [np.zeros(6, np.float32)])
    with pytest.raises(UserError, match="reaches beyond its storage"):
        torch.load(tmp_path / "a.pt")


def test_the_tensors_of_a_file_hold_no_more_than_its_bytes(tmp_path):
    one = tensor_opcodes("0", "FloatStorage", (4096,), (1,), count=4096)[2:-1]
    for count, fits in ((2, True), (400, False)):
        save_rows(tmp_path / "a.pt", b"\x80\x02](" + one * count + b"e.", [np.arange(4096, dtype=np.float32)])
        if fits:
            assert all(t[-1] == 4095 and not t.flags.writeable for t in torch.load(tmp_path / "a.pt"))
        else:
            with pytest.raises(UserError, match="more than its bytes"):
                torch.load(tmp_path / "a.pt")


def test_storages_are_read_as_far_as_they_are_there(tmp_path):
    whole = tensor_opcodes("0", "FloatStorage", (4,), (1,), count=4)
    for length in (1 << 60, -1):
        save_rows(tmp_path / "a.pt", whole)
        keys = pickle.dumps([], 2)
        data = (
            (tmp_path / "a.pt").read_bytes()[: -len(keys)]
            + pickle.dumps(["0"], 2)
            + struct.pack("<q", length)
            + bytes(16)
        )
        (tmp_path / "a.pt").write_bytes(data)
        with pytest.raises(UserError, match="behind the end"):
            torch.load(tmp_path / "a.pt")


def test_a_compressed_zip_is_none_of_torch(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", tensor_opcodes("7", "FloatStorage", (6,), (1,)))
        archive.writestr("archive/data/7", bytes(100 << 20))
    with pytest.raises(UserError, match="compressed, as torch.save never does"):
        torch.load(tmp_path / "a.pt")


def test_keys_that_would_take_forever_to_show(tmp_path):
    """Tuples of tuples, each twice in the next: 2^60 of them, if anybody wrote them out."""
    nested = b"(t" + b"".join(b"\x94h" + bytes([i]) + b"\x86" for i in range(60))
    value = (
        b"\x80\x04(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + nested + b"X\x03\x00\x00\x00cpuK\x04NtQ."
    )
    save_rows(tmp_path / "a.pt", value)
    with pytest.raises(UserError, match="no storage"):
        torch.load(tmp_path / "a.pt")
