"""Plain NumPy archives, read array by array and never unpickled; files written under a temporary name and renamed."""
from __future__ import annotations

import contextlib
import os
import secrets
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tfgan_suite.errors import CannotWrite, UserError


class Archive(Mapping):
    """A read-only `.npz` file whose arrays are read when asked for. Nothing in it is ever unpickled.

    Raises:
        UserError: missing, truncated, corrupt or pickled; on opening or on reading an array.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._file = np.load(self.path, allow_pickle=False)
            if not isinstance(self._file, np.lib.npyio.NpzFile):
                raise ValueError("not an .npz archive")
            self._names = list(self._file.files)
        except FileNotFoundError:
            raise UserError(f"{self.path}: no such file") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self._broken(error) from error

    def _broken(self, error) -> UserError:
        reason = "it holds pickled objects" if "pickle" in str(error) else "truncated or not an .npz archive"
        return UserError(f"{self.path}: cannot be read: {reason}; delete it or put a good copy in its place")

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        try:
            return self._file[name]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
            raise self._broken(error) from error

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)


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


def prepare(partial, path, items: Iterable[tuple[str, np.ndarray]], comment: bytes = b"") -> None:
    """Writes an uncompressed `.npz` array by array to `partial`, to be renamed to `path`; nothing is left if that fails.

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
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
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
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
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
