"""Checkpoint files: atomic, plain NumPy, never unpickled."""
import io
import pickle
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.layers import Network


class Line(Network):
    """Two variables."""

    def __init__(self):
        super().__init__()
        self.w = self.add_weight("c1_w", (2, 3))
        self.b = self.add_weight("c1_b", (3,), initializer="zeros")


def test_files_are_plain_numpy(tmp_path):
    net = Line()
    archive.write(tmp_path / "a.npz", net.arrays())
    with np.load(tmp_path / "a.npz") as file:
        assert sorted(file.files) == ["c1_b", "c1_w"] and file["c1_w"].dtype == np.float32
        np.testing.assert_array_equal(file["c1_w"], net.w.numpy())
    first = (tmp_path / "a.npz").read_bytes()
    archive.write(tmp_path / "b.npz", net.arrays())
    assert (tmp_path / "b.npz").read_bytes() == first  # no time stamps: equal weights are equal files


class Bomb:
    """An object whose unpickling would be noticed."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def bad_files(tmp_path):
    good = tmp_path / "good.npz"
    np.savez(good, c1_w=np.ones((2, 3), np.float32), c1_b=np.zeros(3, np.float32))
    data = good.read_bytes()
    pickled = io.BytesIO()
    with zipfile.ZipFile(pickled, "w") as archive:
        member = io.BytesIO()
        np.lib.format.write_array(member, np.array([Bomb()], dtype=object), allow_pickle=True)
        archive.writestr("c1_w.npy", member.getvalue())
    broken = bytearray(data)
    broken[60:160] = bytes(100)
    return {"truncated": data[:len(data) // 2], "empty": b"", "text": b"hello", "pickle": pickle.dumps(Bomb()),
            "pickled array": pickled.getvalue(), "corrupt": bytes(broken)}


def test_bad_files_get_one_line(tmp_path):
    for name, data in bad_files(tmp_path).items():
        path = tmp_path / "x.npz"
        path.write_bytes(data)
        with pytest.raises(UserError, match="x.npz"):
            Line().assign(Archive(path))
            pytest.fail(name)
    with pytest.raises(UserError, match="no such file"):
        Archive(tmp_path / "missing.npz")


def test_arrays_that_do_not_fit(tmp_path):
    with pytest.raises(UserError, match="'c9_w' does not belong"):
        Line().assign({"c9_w": np.zeros(3)})
    with pytest.raises(UserError, match=r"has shape \(3, 3\), this experiment needs \(2, 3\)"):
        Line().assign({"c1_w": np.zeros((3, 3))})
    net = Line()
    net.assign({"c1_w": np.arange(6.0).reshape(1, 1, 6)})  # equal size: reshaped, as the original does
    np.testing.assert_array_equal(net.w, np.arange(6).reshape(2, 3))


def save(folder, number, keep=lambda n: False):
    Checkpoints(folder).save(number, {"g": Line(), "d": Line()}, {"t": tf.Variable(1.0)}, {"iteration": number}, keep)


def test_a_set_counts_when_it_is_complete(tmp_path):
    files = Checkpoints(tmp_path)
    assert files.complete() == [] and files.newest("g") is None
    save(tmp_path, 4, keep=lambda n: True)
    save(tmp_path, 8, keep=lambda n: True)
    assert (files.complete(), files.numbers("g"), files.numbers("d")) == ([8], [4, 8], [8])
    (tmp_path / "iter_8.state.npz").unlink()
    (tmp_path / "iter_best.gmodel.npz").write_bytes(b"")
    assert files.complete() == [] and files.newest("g") == 8


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    save(tmp_path, 4)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    calls = []

    def full(member, array, allow_pickle):
        calls.append(1)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        return write_array(member, array, allow_pickle=allow_pickle)

    write_array = np.lib.format.write_array
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(UserError, match="No space left on device"):
        save(tmp_path, 8)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_state_of_another_run_is_refused(tmp_path):
    save(tmp_path, 4)
    files = Checkpoints(tmp_path)
    assert files.about(4) == {"iteration": 4}
    value = tf.Variable(0.0)
    files.load_state(4, {"t": value})
    assert value.numpy() == 1.0
    with pytest.raises(UserError, match="first difference: 'u'"):
        files.load_state(4, {"t": value, "u": value})
    with pytest.raises(UserError, match="has shape"):
        files.load_state(4, {"t": tf.Variable([0.0, 1.0])})
