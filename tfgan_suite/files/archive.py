"""Plain NumPy archives, read array by array and never unpickled; files written under a temporary name and
renamed."""
from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfgan_suite.errors import CannotWrite, UserError, reading

_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}  # kinds and bytes of plain numbers
# a member that grows more than this is a bomb: weights hardly shrink when they are packed
_RATIO, _SPARE = 100, 64 << 20
_BLOCK = 1 << 24
_ADVICE = "delete it or put a good copy in its place"


class Pieces(NamedTuple):
    """An array that is written or read row by row, so that it is never whole in memory.

    Attributes:
        shape, dtype: of the array.
        rows: its rows, each an array of `shape[1:]`, in order.
    """

    shape: tuple
    dtype: np.dtype
    rows: Iterable[np.ndarray]


def open_regular(path):
    """A file opened for reading its bytes.

    Raises:
        OSError: it is not there, cannot be read, or is a folder, a pipe or a device, which may have no end.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL,
                      "is a folder or a device, not a file")
    return open(path, "rb")


def read_bytes(path, advice: str = "give another one") -> bytes:
    """The content of a file.

    Raises:
        UserError: it is not there, is no regular file (a folder, a pipe, a device) or cannot be read.
    """
    with reading(path, advice=advice), open_regular(path) as file:
        return file.read()


def _header(file) -> tuple[tuple, bool, np.dtype]:
    """Shape, order and type from the head of an `.npy` file."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of format {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(file)
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("an array of odd shape")
    return shape, fortran, kind


def _claims(file, size: int) -> tuple[tuple, bool, np.dtype, int]:
    """Shape, order, type and bytes of the array that follows; the file is at its head, and behind it then."""
    counted = _Counted(file)
    shape, fortran, kind = _header(counted)
    if kind.hasobject:
        raise ValueError("it holds pickled objects")
    text = kind.kind == "U" and shape == () and kind.itemsize
    if not text and kind.itemsize not in _SIZES.get(kind.kind, ()):
        raise ValueError(f"an array of type {kind.str[:20]} in place of numbers")
    length = int(np.prod(shape, dtype=object)) * kind.itemsize
    if length != size - counted.read_bytes:
        raise ValueError(f"an array claims {length} bytes where {size - counted.read_bytes} are")
    return shape, fortran, kind, length


def _read_flat(file, length: int) -> np.ndarray:
    """The next `length` bytes of a file, uint8."""
    flat = np.empty(length, np.uint8)
    for start in range(0, length, _BLOCK):
        flat[start:start + _BLOCK] = np.frombuffer(file.read(min(_BLOCK, length - start)), np.uint8)
    return flat


def _check_end(file) -> None:
    if file.read(1):  # also has the checksum of a member tested
        raise ValueError("bytes behind the end")


def read_array(file, size: int) -> np.ndarray:
    """One array of numbers, or one text, in NumPy's `.npy` format. Nothing is allocated before the sizes are
    checked.

    Args:
        file: open for reading at the head.
        size: bytes of the whole file; the head must claim exactly these.

    Raises:
        Exception: of many kinds (see `errors.reading`): broken, of objects or records, or of another size.
    """
    shape, fortran, kind, length = _claims(file, size)
    flat = _read_flat(file, length)
    _check_end(file)
    return flat.view(kind).reshape(shape, order="F" if fortran else "C") if length else np.zeros(shape, kind)


class _Counted:
    """A file that counts what is read."""

    def __init__(self, file):
        self._file, self.read_bytes = file, 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.read_bytes += len(data)
        return data


def load_array(path, advice: str = _ADVICE) -> np.ndarray:
    """The numbers of an `.npy` file.

    Raises:
        UserError: missing, truncated, or not of plain numbers.
    """
    with reading(path, "is no .npy file of numbers", advice), open_regular(path) as file:
        array = read_array(file, os.fstat(file.fileno()).st_size)
        if array.dtype.kind == "U":
            raise ValueError("it holds text")
        return array


class Archive(Mapping):
    """A read-only `.npz` file whose arrays are read when asked for. Nothing in it is ever unpickled.

    An array is a mapping's value only if it is of plain numbers; `text` gives what is text.

    Raises:
        UserError: missing, truncated, corrupt or pickled; on opening or on reading an array.
    """

    def __init__(self, path, advice: str = _ADVICE):
        """`advice`: what to do about a broken file."""
        self.path, self.advice = Path(path), advice
        with self._reading():
            self._handle = open_regular(self.path)
            self._size = os.fstat(self._handle.fileno()).st_size
            self._file = zipfile.ZipFile(self._handle)
        self._members = {i.filename[:-len(".npy")]: i for i in self._file.infolist()
                         if i.filename.endswith(".npy")}

    def _reading(self):
        return reading(self.path, "cannot be read: truncated or not an .npz archive of numbers", self.advice)

    @contextlib.contextmanager
    def _member(self, name: str):
        """(an array's bytes, open at the head; how many they are). What goes wrong is told with the file's
        name."""
        info = self._members[name]
        with self._reading():
            if info.compress_size > self._size or info.file_size > _RATIO * info.compress_size + _SPARE:
                raise ValueError(f"'{name}' claims {info.file_size} bytes, packed into {info.compress_size}")
            with self._file.open(info) as file:
                yield file, info.file_size

    def _read(self, name: str) -> np.ndarray:
        with self._member(name) as (file, size):
            return read_array(file, size)

    def pieces(self, name: str) -> Pieces:
        """An array, or a text, each of whose rows is read when its turn comes."""
        with self._member(name) as member:
            shape, _, kind, _ = _claims(*member)
        return Pieces(shape, kind, self._rows(name))

    def _rows(self, name: str) -> Iterator[np.ndarray]:
        with self._member(name) as (file, size):
            shape, fortran, kind, length = _claims(file, size)
            if fortran:
                raise ValueError(f"'{name}' is stored column by column")
            for _ in range(shape[0]):
                yield _read_flat(file, length // shape[0]).view(kind).reshape(shape[1:])
            _check_end(file)

    def __getitem__(self, name: str) -> np.ndarray:
        array = self._read(name)
        if array.dtype.kind == "U":
            raise UserError(f"{self.path}: '{name}' is text in place of numbers; {self.advice}")
        return array

    def text(self, name: str) -> str:
        """A text that is stored as an array.

        Raises:
            UserError: it is none.
        """
        array = self._read(name)
        if array.dtype.kind != "U":
            raise UserError(f"{self.path}: '{name}' is no text; {self.advice}")
        with self._reading():
            return str(array)

    def __contains__(self, name):
        return name in self._members

    def __iter__(self):
        return iter(self._members)

    def __len__(self):
        return len(self._members)


def partial_of(path) -> Path:
    """A temporary name beside `path` that no other process uses, on any host."""
    path = Path(path)
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")


def remove(path) -> None:
    """Deletes a file that may be gone already, or that cannot be deleted."""
    with contextlib.suppress(OSError):
        Path(path).unlink()


def _no_write(path, error: OSError) -> CannotWrite:
    return CannotWrite(path, f"{path}: cannot write: {error.strerror or error}; older checkpoints are intact")


def rename(source, target) -> None:
    """Puts `source` in the place of `target`.

    Raises:
        CannotWrite: it cannot be done.
    """
    try:
        os.replace(source, target)
    except OSError as error:
        raise _no_write(target, error) from error


def sync_folder(folder) -> None:
    """Makes the renames in a folder last over a power failure, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _put(member, array: np.ndarray | Pieces) -> None:
    """Writes an array in NumPy's `.npy` format."""
    if not isinstance(array, Pieces):
        np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        return
    head = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False,
            "shape": tuple(array.shape)}
    np.lib.format.write_array_header_1_0(member, head)
    for row in array.rows:
        member.write(np.ascontiguousarray(row))


def prepare(partial, path, items: Iterable[tuple[str, np.ndarray | Pieces]], comment: bytes = b"") -> None:
    """Writes an uncompressed `.npz` array by array to `partial`, to be renamed to `path`; nothing is left if
    that fails.

    Args:
        comment: stored behind the arrays, where `numpy.load` does not see it.

    Raises:
        CannotWrite: it cannot be written.
    """
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.comment = comment
            for name, array in items:
                with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as member:
                    _put(member, array)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        remove(partial)
        raise _no_write(path, error) from error
    except BaseException:
        remove(partial)
        raise


def comment(path) -> bytes:
    """The comment of an `.npz` file; empty where it has none or is no such file."""
    with contextlib.suppress(UserError), reading(path), zipfile.ZipFile(path) as archive:
        return archive.comment
    return b""


def write(path, items: Iterable[tuple[str, np.ndarray]]) -> None:
    """Writes an uncompressed `.npz` array by array, under a temporary name first.

    Raises:
        CannotWrite: it cannot be written; an older file of that name is intact.
    """
    partial = partial_of(path)
    try:
        prepare(partial, path, items)
        rename(partial, path)
    finally:
        remove(partial)


def write_bytes(path, data: bytes) -> None:
    """Writes a whole file under a temporary name and renames it, so that no half file is ever seen.

    Raises:
        CannotWrite: the folder is not writable or the disk is full; an older file of that name is intact.
    """
    partial = partial_of(path)
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        raise CannotWrite(path, f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        remove(partial)


def make_folder(folder) -> Path:
    """A folder that can be written to, made with its parents if it is missing.

    Raises:
        UserError: it cannot be made, or not be written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{str(folder)!r}: cannot make this folder: {reason}; give another one") from error
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder}: this folder is not writable; give another one")
    return Path(folder)
