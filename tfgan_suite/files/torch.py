"""Reads files of `torch.save` without torch: plain Python values, tensors as NumPy arrays.

Both layouts are read: the one up to 2020 (pickles in a row, then raw storages) and the zip layout after it.
    The reader builds
tensors and plain containers and nothing else, so a file can run no code; and no array is larger than the
bytes behind it.
"""
from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import pickles
from tfgan_suite.files.archive import read_bytes

MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"Float": "<f4", "Double": "<f8", "Half": "<f2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
             "Char": "i1",
             "Byte": "u1", "Bool": "?"}
_VIEWS = 2  # times that the bytes of a file may show up in tensors: tied weights are stored once


def _whole(values) -> bool:
    return isinstance(values, (tuple, list)) and all(type(n) is int and n >= 0 for n in values)


class _Tensors:
    """Builds the tensors of one file as read-only views of its storages.

    Args:
        size: bytes of the file.
    """

    def __init__(self, size: int):
        self.left = _VIEWS * size

    def view(self, storage, offset, size, stride, *_) -> np.ndarray:
        """A strided view of a flat storage."""
        if not isinstance(storage,
                          np.ndarray) or not _whole([offset]) or not _whole(size) or not _whole(stride):
            raise pickle.UnpicklingError("a tensor has odd sizes")
        count, step = int(np.prod(size, dtype=object)), storage.itemsize
        if count == 0:
            return np.zeros(tuple(size), storage.dtype)
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if last >= storage.size or count > storage.size:
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        self.left -= count * step
        if self.left < 0:
            raise pickle.UnpicklingError("its tensors hold more than its bytes")
        return np.lib.stride_tricks.as_strided(storage[offset:], size, [s * step for s in stride],
                                               writeable=False)


def _names(rebuild: Callable) -> dict[str, Callable]:
    """What the names in a file's pickles stand for; a storage class is the name of its numbers' type."""
    storages = {f"{module}.{name}Storage": lambda *_, kind=kind: kind for module in ("torch", "torch.cuda")
                for name, kind in _STORAGES.items()}
    return {**pickles.PLAIN, **storages, "torch._utils._rebuild_tensor": rebuild,
            "torch._utils._rebuild_tensor_v2": rebuild,
            "torch._utils._rebuild_parameter": lambda data, *_: data}


def _reader(file: io.BytesIO, rebuild: Callable, find: Callable) -> pickles.Reader:
    """A reader of one pickle; `find(key, type, count)` gives the flat array of a storage."""
    def stored(identity):
        what, storage, key, _, count, *rest = identity
        if what != "storage" or type(key) not in (str, int) or any(r is not None
                                                                   for r in rest) or not _whole([count]):
            raise pickle.UnpicklingError("it points to something that is no storage")
        return find(str(key), np.dtype(storage()), count)

    return pickles.Reader(file, _names(rebuild), persistent=stored)


def _nothing(*_):
    """In place of a storage or a tensor, where only the types of the storages are wanted."""


def _read_rows(file: io.BytesIO, size: int):
    """The layout of 2017: magic, protocol, system, the object; then the keys and, per key, length and raw
    data."""
    types: dict = {}
    storages: dict = {}
    for _ in range(2):
        _reader(file, _nothing, _nothing).load()
    start = file.tell()
    # where the storages begin, their types
    _reader(file, _nothing, lambda key, kind, count: types.update({key: kind})).load()
    for key in _reader(file, _nothing, _nothing).load():
        kind = types[str(key) if type(key) in (str, int) else ""]
        length = struct.unpack("<q", file.read(8))[0] * kind.itemsize
        if not 0 <= length <= size - file.tell():
            raise pickle.UnpicklingError("a storage lies behind the end")
        storages[str(key)] = np.frombuffer(file.read(length), kind)
    file.seek(start)
    return _reader(file, _Tensors(size).view, lambda key, kind,
                   count: storages[key].view(kind)[:count]).load()


def _read_zip(file: io.BytesIO, size: int):
    storages: dict = {}
    with zipfile.ZipFile(file) as archive:
        def member(name: str) -> bytes:
            info = archive.getinfo(name)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
                raise pickle.UnpicklingError(f"'{name}' is compressed, as torch.save never does")
            return archive.read(info)

        def stored(key, kind, count):
            if key not in storages:
                storages[key] = member(f"{folder}data/{key}")
            return np.frombuffer(storages[key], kind, count)

        folder = next(n for n in archive.namelist() if n.endswith("data.pkl"))[:-len("data.pkl")]
        return _reader(io.BytesIO(member(f"{folder}data.pkl")), _Tensors(size).view, stored).load()


def load(path):
    """The object in a file that `torch.save` wrote (state dictionaries, optimiser states, dictionaries of
    tensors).

    Byte strings of Python 2 become str in latin-1. Tensors are read-only.

    Raises:
        UserError: no such file, damaged, or holds more than tensors and plain values.
    """
    data = read_bytes(path)
    if not data:
        raise UserError(f"{path}: is empty, no readable file of torch.save; put a good copy in its place")
    file = io.BytesIO(data)
    with reading(path, "is no readable file of torch.save"):
        if data[:2] == b"PK":
            return _read_zip(file, len(data))
        if _reader(file, _nothing, _nothing).load() != MAGIC:
            raise pickle.UnpicklingError("it does not begin like a file of torch.save")
        return _read_rows(file, len(data))


def arrays_of(found, path, advice: str) -> dict[str, np.ndarray]:
    """A state dictionary: what is in `found`, if that is arrays by their names and nothing else.

    Raises:
        UserError: it is not; `path` names the file.
    """
    if not isinstance(found, dict) or not all(type(n) is str and isinstance(a, np.ndarray) for n,
                                              a in found.items()):
        raise UserError(f"{path}: holds no weights of a network; {advice}")
    return found
