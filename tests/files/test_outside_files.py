"""Bytes from outside: nothing in them is run or followed, nothing is allocated that is not there, one line
names the file."""
import io
import os
import pickle
import struct
import time
import zipfile

import numpy as np
import pytest

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import jsonl, pickles, torch
from tfgan_suite.files.archive import Archive, load_array, read_bytes
from tfgan_suite.lis import history

ALL = {**pickles.PLAIN, **pickles.NUMPY}


def load(data):
    return pickles.Reader(io.BytesIO(data), ALL).load()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["<f4", ">f8", "i1", "<u2", "?", "<f2", ">i8"])
def test_arrays_come_back_whole(protocol, kind):
    array = np.arange(6).reshape(2, 3).astype(kind)
    for order in "CF":
        found = load(pickle.dumps(np.asarray(array, order=order), protocol)).array()
        assert np.array_equal(found, array) and found.dtype.itemsize == array.dtype.itemsize


def test_plain_values():
    values = {"a": [1, 2.5, None, True, (b"x", "é")], 3: {}}
    assert load(pickle.dumps(values, 2)) == values


SHORT = lambda s: b"\x8c" + bytes([len(s)]) + s  # noqa: E731
HOSTILE = {
    "system": b"cos\nsystem\n(X\x02\x00\x00\x00lstR.",
    "a dotted name": b"\x80\x04" + SHORT(b"collections") + SHORT(b"OrderedDict.__init__.__globals__")
    + b"\x93.",
    "a codec": b"c_codecs\nencode\n(X\x04\x00\x00\x00abcdX\x08\x00\x00\x00punycodetR.",
    "state for a class": b"cnumpy\nndarray\nN}X\x05\x00\x00\x00state\nI1\ns\x86b.",
    "an attribute of a class": b"cnumpy\nndarray\n}X\x09\x00\x00\x00_functionI1\nsb.",
    "a new object of a function": b"c_codecs\nencode\n)\x81.",
    "a call of what is no name": b"I1\n)R.",
    "an extension": b"\x82\x01.",
    "something outside": b"I1\nQ.",
    "a great bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"x.",
    "a great string": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
    "arguments by name": b"\x80\x04" + SHORT(b"numpy") + SHORT(b"dtype") + b"\x93)}" + SHORT(b"a")
    + b"I1\ns\x92.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_run_or_followed(name):
    with pytest.raises(UserError, match="x.pkl: is broken"), reading("x.pkl"):
        load(HOSTILE[name])


def test_types_that_hold_pointers_are_refused():
    for dtype in ("O", [("a", "O")], "V8", "M8[s]", "U3", "S3", "c16"):
        data = pickle.dumps(np.zeros(2, dtype), 2)
        with pytest.raises(pickle.UnpicklingError):
            load(data).array()
    dtype = load(pickle.dumps(np.dtype("f4"), 2))
    assert type(dtype) is pickles.TypeStandIn and type(load(pickle.dumps(np.zeros(2),
                                                                         2))) is pickles.ArrayStandIn


def test_a_history_that_points_to_an_address(tmp_path):
    """A record type that says it holds no objects and has one: NumPy itself would follow the eight bytes."""
    def text(s):
        return b"U" + bytes([len(s)]) + s

    objects = b"cnumpy\ndtype\n(" + text(b"O") + b"K\x00K\x01tR"
    record = (b"cnumpy\ndtype\n(" + text(b"V8") + b"K\x00K\x01tR(K\x03" + text(b"|") + b"N(" + text(b"a")
              + b"t}" + text(b"a")
              + b"(" + objects + b"K\x00tsK\x08K\x01K\x00tb")
    array = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b")
             + b"tR(K\x01(K\x01t" + record
             + b"\x89" + text(b"AAAAAA\x00\x00") + b"tb")
    line = (
        b"ccommon.plotting\nLine\n)R}("
        + text(b"last_index")
        + b"K\x00"
        + text(b"xs")
        + array
        + text(b"ys")
        + array
        + b"ub"
    )
    group = b"ccommon.plotting\nLineGroup\n)R}" + text(b"lines") + b"}" + text(b"l") + line + b"ssb"
    whole = (
        b"\x80\x02ccommon.plotting\nHistory\n)R}" + text(b"line_groups") + b"}" + text(b"g") + group + b"ssb."
    )
    outer = b"".join(pickle.dumps(x, 2)
                     for x in (torch.MAGIC, 1001, {}, {"history": whole.decode("latin-1")}, []))
    (tmp_path / "1_state.pt").write_bytes(outer)
    with pytest.raises(UserError,
                       match="1_state.pt: its history cannot be read .an array is not of plain numbers"):
        history.from_original(tmp_path / "1_state.pt")


# -- arrays --------------------------------------------------------------------------------------------------
def npy(shape, dtype, content=b"", version=1):
    head = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I",
                                                            len(head)) + head + content


def zipped(path, content, method=zipfile.ZIP_STORED, name="a.npy"):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, content)
    return path


@pytest.mark.parametrize("content", [
    npy((10**12,), "<f4"), npy((10**12, 10**12), "<f4", bytes(64)), npy((-4,), "<f4", bytes(64)),
    npy((True,), "<f4", bytes(4)),
    npy((4,), "|O", bytes(64)), npy((1,), "|S2000000000", bytes(64)), npy((4,), "nope", bytes(64)),
    npy((2,), "<f4", bytes(12)),
    npy((2,), "<c8", bytes(16)), npy((2,), "<M8[s]", bytes(16)), npy((2,), "<U1", bytes(8)),
    npy((), [("a", "<f4")], bytes(4)),
    b"", b"\x93NUMPY", npy((1,), "<f4", bytes(4))[:30], npy((1,), "<f4", bytes(4)).replace(b"{", b"("),
    npy((2**62, 4), "<f4"),
    b"\x93NUMPY\x02\x00" + struct.pack("<I", 5001) + b"{" * 5000 + b"\n"])
def test_heads_that_claim_other_than_is_there(tmp_path, content):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        with pytest.raises(UserError, match=r"x\.npz: cannot be read"):
            Archive(zipped(tmp_path / "x.npz", content, method))["a"]
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npy: is no \.npy file of numbers"):
        load_array(tmp_path / "x.npy")


def test_good_archives(tmp_path):
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.asfortranarray(np.eye(3)),
              "c": np.int64(4),
              "d": np.zeros((0, 4), np.float16), "about": np.array('{"x": "é"}')}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)
        found = Archive(tmp_path / "x.npz")
        assert set(found) == set(arrays) and found.text("about") == '{"x": "é"}'
        for name in "abcd":
            assert np.array_equal(found[name], arrays[name]) and found[name].dtype == arrays[name].dtype
        found["a"][0] = 1  # an array of one's own
    with pytest.raises(UserError, match="'about' is text"):
        found["about"]
    with pytest.raises(UserError, match="'a' is no text"):
        found.text("a")
    with pytest.raises(KeyError):
        found["e"]


def test_a_bomb_is_not_unpacked(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as member,
    ):
        member.write(npy((50 << 20,), "<f4"))
        for _ in range(200):
            member.write(bytes(1 << 20))
    began = time.perf_counter()
    with pytest.raises(UserError, match="'a' claims 2097.* bytes, packed into"):
        Archive(tmp_path / "x.npz")["a"]
    assert time.perf_counter() - began < 0.1


def test_encrypted_and_odd_members(tmp_path):
    for offset, value in ((8, 1), (10, 99)):  # the flag for encryption; a method that nobody knows
        data = bytearray(zipped(tmp_path / "x.npz", npy((1,), "<f4", bytes(4))).read_bytes())
        data[data.rfind(b"PK\x01\x02") + offset] ^= value
        (tmp_path / "x.npz").write_bytes(data)
        with pytest.raises(UserError, match=r"x\.npz: cannot be read"):
            Archive(tmp_path / "x.npz")["a"]


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in ((tmp_path, "not a file"), (tmp_path / "pipe", "not a file"),
                       ("/dev/zero", "not a file"),
                       (tmp_path / "none", "no such file"), (tmp_path / ("a" * 300), "too long"),
                       ("a\0b", "null")):
        for read in (read_bytes, Archive, torch.load, load_array):
            with pytest.raises(UserError, match=said):
                read(path)


def test_one_place_decides_and_bugs_of_ours_stay_bugs():
    undecodable = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad\nbyte")
    for error in (KeyError("x"), RecursionError("deep"), MemoryError(), undecodable):
        with pytest.raises(UserError, match="^f: is broken or of another kind") as caught, reading("f"):
            raise error
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="^mine$"), reading("f"):
        raise UserError("mine")
    with pytest.raises(KeyboardInterrupt), reading("f"):
        raise KeyboardInterrupt


def test_lines_of_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1, "a": 2, "b": NaN, "c": "x", "d": true}\n\n{"iteration": null, "a": 1}\n'
                    '{"iteration": 2, "a"')
    (iteration, values), = jsonl.read(path)
    assert iteration == 1 and values["a"] == 2.0 and set(values) == {"a", "b"}
    for text in ("[1]\n", "nope\n", b"\xff\xfe\n", "[" * 100000 + "\n"):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(UserError, match=r"metrics.jsonl \(line 1\): is no"):
            list(jsonl.read(path))
        assert list(jsonl.read(path, strict=False)) == []
