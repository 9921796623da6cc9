"""Reads files of `torch.save` without torch: plain Python values, tensors as NumPy arrays.

Both layouts are read: the one up to 2020 (pickles in a row, then raw storages) and the zip layout after it. The unpickler
builds tensors and plain containers and nothing else, so a file can run no code.
"""
from __future__ import annotations

import codecs
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"Float": np.float32, "Double": np.float64, "Half": np.float16, "Long": np.int64, "Int": np.int32,
             "Short": np.int16, "Char": np.int8, "Byte": np.uint8, "Bool": np.bool_}


class _StorageType:
    """What a pickled storage class (`torch.FloatStorage`, `torch.cuda.FloatStorage`) becomes."""

    def __init__(self, name: str):
        self.dtype = np.dtype(_STORAGES[name]).newbyteorder("<")


def _tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *_) -> np.ndarray:
    """A strided view of a flat storage, as an array of its own."""
    last = offset + sum((n - 1) * s for n, s in zip(size, stride))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    if offset < 0 or any(s < 0 for s in stride) or last >= storage.size:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    step = storage.itemsize
    return np.lib.stride_tricks.as_strided(storage[offset:], size, [s * step for s in stride]).copy()


_ALLOWED = {("collections", "OrderedDict"): OrderedDict,
            ("_codecs", "encode"): codecs.encode,
            ("torch._utils", "_rebuild_tensor"): _tensor,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data}


class _Unpickler(pickle.Unpickler):
    """Plain containers and tensors only; `find` gives the flat array of a storage."""

    def __init__(self, file, find):
        super().__init__(file, encoding="latin-1")
        self.find = find

    def persistent_load(self, identity):
        kind, storage, key, _, count, *rest = identity
        if kind != "storage" or any(r is not None for r in rest):
            raise pickle.UnpicklingError(f"unknown entry '{kind}'")
        return self.find(str(key), storage.dtype, int(count))

    def find_class(self, module, name):
        if module in ("torch", "torch.cuda") and name.endswith("Storage") and name[:-7] in _STORAGES:
            return _StorageType(name[:-7])
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is neither a tensor nor a plain container")


def _read_rows(file: io.BytesIO):
    """The layout of 2017: magic, protocol, system, the object; then the keys and, per key, length and raw data."""
    def blank(key, dtype, count):
        dtypes[key] = dtype
        return np.zeros(count, dtype)

    dtypes: dict = {}
    storages: dict = {}
    for _ in range(2):
        _Unpickler(file, blank).load()
    start = file.tell()
    _Unpickler(file, blank).load()  # a first pass finds where the storages begin and their types
    for key in map(str, _Unpickler(file, blank).load()):
        count = struct.unpack("<q", file.read(8))[0]
        storages[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key], count)
    file.seek(start)
    return _Unpickler(file, lambda key, dtype, count: storages[key][:count]).load()


def _read_zip(file: io.BytesIO):
    with zipfile.ZipFile(file) as archive:
        folder = next(n for n in archive.namelist() if n.endswith("data.pkl"))[:-len("data.pkl")]
        def stored(key, dtype, count):
            return np.frombuffer(archive.read(f"{folder}data/{key}"), dtype, count)
        return _Unpickler(io.BytesIO(archive.read(f"{folder}data.pkl")), stored).load()


def load(path):
    """The object in a file that `torch.save` wrote (state dictionaries, optimiser states, dictionaries of tensors).

    Byte strings of Python 2 become str in latin-1.

    Raises:
        UserError: no such file, damaged, or holds more than tensors and plain values.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror}") from None
    file = io.BytesIO(data)
    try:
        if data[:2] == b"PK":
            return _read_zip(file)
        if _Unpickler(file, None).load() != MAGIC:
            raise pickle.UnpicklingError("it does not begin like a file of torch.save")
        return _read_rows(file)
    except (pickle.UnpicklingError, struct.error, zipfile.BadZipFile, StopIteration, EOFError, KeyError, ValueError,
            TypeError, AttributeError, IndexError, MemoryError, OverflowError) as error:
        raise UserError(f"{path}: is no readable file of torch.save: {error or type(error).__name__}") from None
