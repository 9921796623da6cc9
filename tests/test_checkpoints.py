"""Checkpoint files: atomic, plain NumPy, never unpickled."""
import contextlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints, Kept, never
from tfgan_suite.layers import Network
from tfgan_suite.training import resume


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
    return {"truncated": data[:len(data) // 2], "empty": b"", "text": b"hello",
            "pickle": pickle.dumps(Bomb()),
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


def save(folder, number, keep=never):
    Checkpoints(folder).save(number, {"g": Line(), "d": Line()}, {"t": tf.Variable(1.0)},
                             {"iteration": number, "experiment": "x"}, Kept(keep))


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


def test_a_state_is_loaded_as_far_as_it_fits(tmp_path):
    save(tmp_path, 4)
    files = Checkpoints(tmp_path)
    assert files.about(4) == {"iteration": 4, "experiment": "x", "whole": True}
    value = tf.Variable(0.0)
    assert files.load_state(4, {"t": value}) == ([], [])
    assert value.numpy() == 1.0
    other = tf.Variable([3.0, 4.0])
    assert files.load_state(4, {"u": other}) == (["u"], ["t"])
    assert files.load_state(4, {"t": other}) == (["t"], [])
    np.testing.assert_array_equal(other, [3, 4])


def test_states_with_a_running_index_are_read(tmp_path):
    """Earlier versions wrote `g/0001/m/w`; two variables of one name keep the order of their indices."""
    stored = {"about": np.array("{}"), "g/0010/m/w": np.float32(10), "g/0002/m/w": np.float32(2),
              "g/0000/iteration": np.int64(7),
              "extra/k": np.float32(5)}
    archive.write(tmp_path / "iter_3.state.npz", stored.items())
    state = {"g/iteration": tf.Variable(np.int64(0)), "g/m/w": tf.Variable(0.0), "g/m/w#2": tf.Variable(0.0),
             "extra/k": tf.Variable(0.0)}
    assert Checkpoints(tmp_path).load_state(3, state) == ([], [])
    assert {name: float(v) for name, v in state.items()} == {"g/iteration": 7, "g/m/w": 2, "g/m/w#2": 10,
                                                             "extra/k": 5}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def files_of(*numbers, kinds=("dmodel", "gmodel", "state")):
    return sorted(f"iter_{number}.{kind}.npz" for number in numbers for kind in kinds)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("renames", [1, 2, 3])
def test_a_kill_between_two_renames_leaves_nothing_that_counts(tmp_path, monkeypatch, renames):
    """Nothing is undone, since the process is dead: the set is not there, or whole."""
    save(tmp_path, 4)
    done, old = [], archive.os.replace

    def replace(source, target):
        old(source, target)
        done.append(target)
        if len(done) == renames:
            raise Killed

    monkeypatch.setattr(archive.os, "replace", replace)
    monkeypatch.setattr(archive, "remove", lambda path: None)
    with pytest.raises(Killed):
        save(tmp_path, 8)
    files = Checkpoints(tmp_path)
    assert files.complete() == ([4, 8] if renames == 3 else [4]) and files.pairs() == []


@pytest.mark.parametrize("renames", [1, 2, 3])
def test_an_interrupted_save_is_undone(tmp_path, monkeypatch, renames):
    save(tmp_path, 4)
    before, done, old = names(tmp_path), [], archive.os.replace

    def replace(source, target):
        done.append(target)
        old(source, target)
        if len(done) == renames:
            raise KeyboardInterrupt

    monkeypatch.setattr(archive.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, 8)
    assert names(tmp_path) == before


class Mortal:
    """The process dies at the n-th rename or deletion: that one and all later ones do not happen."""

    def __init__(self, monkeypatch, last):
        self.count, self.last = 0, last
        monkeypatch.setattr(archive.os, "replace", self.mortal(os.replace))
        monkeypatch.setattr(archive.Path, "unlink", self.mortal(Path.unlink))

    def mortal(self, function):
        def call(*arguments):
            self.count += 1
            if self.count >= self.last:
                raise Killed
            return function(*arguments)
        return call


def marked(folder, number, newer=(), whole=never):
    """Saves a checkpoint whose weights all are its number."""
    networks = {kind: Line() for kind in ("g", "d")}
    for network in networks.values():
        network.assign({name: np.full(shape, number, np.float32) for name, shape in network.shapes().items()})
    Checkpoints(folder).save(number, networks, {"t": tf.Variable(float(number))}, {"experiment": "x"},
                             Kept(whole=whole), newer=newer)


@pytest.mark.parametrize("start", [4, 8])
def test_a_kill_anywhere_in_a_save_behind_newer_files(tmp_path, start):
    """Going on from 8 with half of 12 there, or back to 4: moving aside, publishing, cleaning."""
    for last in range(1, 100):
        folder = tmp_path / str(last)
        for number in (4, 8):
            marked(folder, number, whole=lambda number: number == 4)
        archive.write(folder / "iter_12.state.npz", [("about", np.array('{"experiment": "x"}'))])
        archive.write(folder / "iter_12.dmodel.npz", Line().arrays())
        files = Checkpoints(folder)
        with pytest.MonkeyPatch.context() as patch:
            life = Mortal(patch, last)
            with contextlib.suppress(Killed):
                marked(folder, start + 2, files.after(start))
        found = resume.choose(files, None, lambda text: None)
        assert found.own and found.number in ({8, 10} if start == 8 else {4, 6, 8})
        for kind, number in found.numbers.items():
            assert number == found.number
            assert np.all(Archive(files.path(kind, number))["c1_w"] == number)
        marked(folder, found.number + 1, files.after(found.number))
        assert resume.choose(files, None, pytest.fail).number == found.number + 1
        assert files.complete()[-1] == found.number + 1 and files.after(found.number + 1) == []
        if life.count < last:
            break
    assert last > 8  # moved aside, published and cleaned: all of it was met


def test_files_that_training_did_not_write_stay(tmp_path):
    """The original's old D, a converted checkpoint; but not a pair of ours whose state the user deleted."""
    for kind in ("g", "d"):
        archive.write(Checkpoints(tmp_path).path(kind, 1), Line().arrays())
        archive.write(Checkpoints(tmp_path).path(kind, 2), Line().arrays())
    archive.write(tmp_path / "iter_2.state.npz", [("about", np.array('{"iteration": 2, "fixed": {}}'))])
    save(tmp_path, 3)
    (tmp_path / "iter_3.state.npz").unlink()
    save(tmp_path, 4)
    assert names(tmp_path) == files_of(1, kinds=("dmodel", "gmodel")) + files_of(2, 4)


def test_whole_checkpoints_stay_where_they_are_wanted(tmp_path):
    for number in range(1, 6):
        Checkpoints(tmp_path).save(number, {"g": Line(), "d": Line()}, {"t": tf.Variable(1.0)},
                                   {"experiment": "x"},
                                   Kept(whole=lambda n: n % 2 == 0))
    assert Checkpoints(tmp_path).complete() == [2, 4, 5] and names(tmp_path) == files_of(2, 4, 5)


def test_snapshots_for_sampling(tmp_path):
    """They are no place to go on from, and are never taken for the original's files."""
    files, kept = Checkpoints(tmp_path), Kept(lambda n: n % 2 == 0)
    for number in range(1, 6):
        files.save(number, {"g": Line(), "d": Line()}, {"t": tf.Variable(1.0)}, {"experiment": "x"}, kept,
                   whole=number == 1)
    assert (files.complete(), files.pairs(), files.numbers("g"), files.numbers("d")) == (
        [1],
        [],
        [1, 2, 4, 5],
        [1],
    )
    files.save(6, {"g": Line(), "d": Line()}, {"t": tf.Variable(1.0)}, {"experiment": "x"}, kept)
    assert names(tmp_path) == sorted([*files_of(2, 4, kinds=("gmodel",)), *files_of(6)])


@pytest.mark.parametrize("name", ["iter_007.gmodel.npz", "iter_\u0663.gmodel.npz", "iter_-1.gmodel.npz",
                                  "iter_1e3.gmodel.npz", f"iter_{'9' * 30}.gmodel.npz", "Iter_3.gmodel.npz"])
def test_names_that_no_program_gives_are_no_checkpoints(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    files = Checkpoints(tmp_path)
    assert files.newest("g") is None and files.after(0) == []
    (tmp_path / "iter_3.gmodel.npz").mkdir()  # nor is a folder
    assert files.newest("g") is None and files.after(0) == []


@pytest.mark.parametrize("about", [{"history": 5}, {"planned": "x"}, {"fixed": []}, {"parameters": 1}, [], 7])
def test_records_that_are_none(tmp_path, about):
    files = Checkpoints(tmp_path)
    np.savez(files.path("state", 3), about=json.dumps(about))
    with pytest.raises(UserError, match="iter_3.state.npz: is not a state file"):
        files.about(3)


def test_files_of_later_iterations_move_aside(tmp_path):
    for aside in ("aside", "aside-2"):
        for number in (9, 12):
            save(tmp_path, number, keep=lambda n: True)
        files = Checkpoints(tmp_path)
        assert files.after(8) == [9, 12]
        files.save(5, {"g": Line(), "d": Line()}, {}, {"experiment": "x"}, newer=files.after(8))
        assert names(tmp_path / aside) == sorted([*files_of(9, kinds=("gmodel",)), *files_of(12)])
        assert files.complete() == [5]


def test_aside_is_a_new_folder_whatever_is_there(tmp_path):
    save(tmp_path, 4)
    (tmp_path / "aside").symlink_to("nowhere")
    (tmp_path / "aside-2").write_text("a file")
    assert Checkpoints(tmp_path).set_aside([4]) == tmp_path / "aside-3"
    assert names(tmp_path / "aside-3") == files_of(4)


def test_files_of_dead_writers_go(tmp_path):
    left = ["iter_5.gmodel.npz.77.partial", "iter_5.state.npz.ab12.partial", "filts.npz.1.partial"]
    for name in [*left, "mine.partial"]:
        (tmp_path / name).write_bytes(b"x")
    assert sorted(path.name for path in Checkpoints(tmp_path).remove_partials()) == sorted(left)
    assert names(tmp_path) == ["mine.partial"]


def test_a_copy_may_be_missing(tmp_path):
    save(tmp_path, 4)
    assert Checkpoints(tmp_path, ("g", "d", "a"), ("a",)).complete() == [4]
    assert Checkpoints(tmp_path, ("g", "d", "a")).complete() == []
