"""Reads the files of torch.save without torch, and without running anything that a file may hold (spec section 10.3).

Two containers exist: the legacy stream (torch before 1.6), five pickles in a row and then raw storages, and the zip archive of
later versions. Only dictionaries, lists, numbers, strings and tensors are accepted; any other class in a pickle is refused.
"""
from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfgan_suite.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
          "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}


class _Storage(NamedTuple):
    dtype: str
    key: str
    count: int


class _Tensor(NamedTuple):
    """A tensor whose numbers are not read yet."""

    storage: _Storage
    offset: int
    size: tuple
    stride: tuple


def _rebuild(storage, offset, size, stride, *_):
    return _Tensor(storage, int(offset), tuple(size), tuple(stride))


def _rebuild_parameter(tensor, *_):
    return tensor


class _Unpickler(pickle.Unpickler):
    """Knows the few names that a state dict needs."""

    allowed = {("collections", "OrderedDict"): collections.OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
               ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
               **{("torch", name): dtype for name, dtype in DTYPES.items()}}

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}, which is no tensor")
        return self.allowed[module, name]

    def persistent_load(self, saved):
        kind, dtype, key, _, count = saved[:5]
        if kind != "storage" or not isinstance(dtype, str) or (len(saved) > 5 and saved[5] is not None):
            raise pickle.UnpicklingError("it holds an unknown kind of storage")
        return _Storage(dtype, str(key), int(count))


def _view(tensor: _Tensor, storages: dict) -> np.ndarray:
    data = storages[tensor.storage.key]
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.size, tensor.stride))
    if min((*tensor.size, *tensor.stride, tensor.offset, 0)) < 0 or (0 not in tensor.size and last >= len(data)):
        raise ValueError("a tensor lies outside its storage")
    steps = tuple(s * data.itemsize for s in tensor.stride)
    return np.lib.stride_tricks.as_strided(data[tensor.offset:], tensor.size, steps).copy()


def _resolve(value: Any, storages: dict) -> Any:
    if isinstance(value, _Tensor):
        return _view(value, storages)
    if isinstance(value, dict):
        return {key: _resolve(item, storages) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_resolve(item, storages) for item in value)
    return value


def _tensors(value: Any):
    if isinstance(value, _Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _load_zip(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pickled = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickled) != 1:
            raise ValueError("no data.pkl inside")
        stem = pickled[0][: -len("data.pkl")]
        content = _Unpickler(io.BytesIO(archive.read(pickled[0]))).load()
        needed = {t.storage.key: t.storage for t in _tensors(content)}
        storages = {key: np.frombuffer(archive.read(f"{stem}data/{key}"), s.dtype) for key, s in needed.items()}
    return _resolve(content, storages)


def _load_legacy(data: bytes) -> Any:
    stream = io.BytesIO(data)
    if _Unpickler(stream).load() != MAGIC:
        raise ValueError("not a file of torch.save")
    _Unpickler(stream).load()  # protocol version
    _Unpickler(stream).load()  # sizes of types
    content = _Unpickler(stream).load()
    keys, storages = _Unpickler(stream).load(), {}
    dtypes = {t.storage.key: t.storage.dtype for t in _tensors(content)}
    for key in map(str, keys):
        (count,) = struct.unpack("<q", stream.read(8))
        dtype = np.dtype(dtypes.get(key, "<f4"))
        storages[key] = np.frombuffer(stream.read(count * dtype.itemsize), dtype)
        if len(storages[key]) != count:
            raise ValueError("truncated")
    return _resolve(content, storages)


def load(path) -> Any:
    """The object of a torch.save file, with NumPy arrays for tensors.

    Raises:
        UserError: missing, truncated, not such a file, or with anything inside that is no plain data or tensor.
    """
    try:
        data = Path(path).read_bytes()
        return _load_zip(data) if data[:2] == b"PK" else _load_legacy(data)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give the path of a .pth.tar file") from None
    except (pickle.UnpicklingError, zipfile.BadZipFile, ValueError, KeyError, EOFError, struct.error, IndexError, TypeError,
            AttributeError, ImportError, RuntimeError, zipfile.zlib.error) as error:
        raise UserError(f"{path}: cannot be read as a torch file: {error}; it may be truncated, or a Git LFS pointer") from None
