"""Downloads that can be stopped at any moment: resumed where they stopped, checked, unpacked, never leaving
half a file under its own name. Nothing here imports TensorFlow."""
from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import os
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from tfgan_suite.data.catalog import Archive, DataSet
from tfgan_suite.errors import UserError, reason
from tfgan_suite.files.archive import partial_of

_BLOCK, _QUICK = 1 << 16, 4 << 30  # bytes; a file below _QUICK is hashed in seconds
_DONE = ".downloaded"
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR,
         errno.EFBIG)


def _digest(path: Path, kind: str) -> str:
    digest = hashlib.new(kind)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def problem(path: Path, archive: Archive) -> str:
    """What is wrong with a downloaded file ('' if nothing is, as far as its size and checksum are known)."""
    size = path.stat().st_size
    if archive.size and size != archive.size:
        return f"has {size} bytes, not {archive.size}"
    kind, _, expected = archive.digest.partition(":")
    if expected and (found := _digest(path, kind)) != expected:
        return f"has {kind} {found}, not {expected}"
    return ""


def _open(url: str, start: int, tag: str, timeout: float):
    """The response from byte `start` on, or from 0 where the server cannot or the file has changed since."""
    headers = {"User-Agent": "tfgan_suite", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag:
            headers["If-Range"] = tag
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)


def _receive(archive: Archive, partial: Path, timeout: float) -> None:
    """One attempt: adds to `partial` what it still lacks.

    Raises:
        OSError, HTTPException: the connection failed or ended early; what came is kept.
        UserError: the server sent a web page in place of the file.
    """
    tags = partial.with_name(partial.name + ".tag")
    start = partial.stat().st_size if partial.exists() else 0
    with _open(archive.url, start, tags.read_text(errors="replace").strip() if tags.exists() else "",
               timeout) as response:
        if response.headers.get_content_type() == "text/html":
            raise UserError(f"{archive.url}: sent a web page, not the file (perhaps its daily quota is used "
                            f"up)")
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        total = (start if resumed else 0) + int(length) if length else archive.size or None
        tags.write_text(response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        bar = tqdm(total=total, initial=start if resumed else 0, desc=archive.name, unit="B", unit_scale=True,
                   disable=None)
        with open(partial, "ab" if resumed else "wb") as file, bar:
            while block := response.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
    if length and partial.stat().st_size < total:
        raise OSError("the connection ended early")


def _complete(error: urllib.error.HTTPError, partial: Path) -> bool:
    """Whether the refusal of a range means that `partial` has all bytes already."""
    total = (error.headers.get("Content-Range") or "").rpartition("/")[2]
    return error.code == 416 and partial.exists() and total == str(partial.stat().st_size)


def fetch(archive: Archive, folder: Path, attempts: int = 5, wait: float = 1.0,
          timeout: float = 60.0) -> Path:
    """Downloads one file into `folder`, or takes the one that is there if it is right.

    An interrupted download leaves `NAME.partial`, with which the next call goes on.

    Args:
        attempts: how often a failed connection is tried again without any progress.
        wait: seconds before the second attempt; doubled each time.

    Returns:
        The file.

    Raises:
        UserError: it cannot be reached, is not what it should be, or cannot be written.
    """
    target, partial = folder / archive.name, folder / f"{archive.name}.partial"
    advice = f"download it by hand, put it there as {target} and run this again"
    if target.exists():
        wrong = problem(target, archive)
        if wrong:
            raise UserError(f"{target}: {wrong}; delete it and run this again")
        return target
    with _alone(partial):
        _receive_all(archive, partial, advice, attempts, wait, timeout)
        return _accept(archive, partial, target)


@contextlib.contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Keeps other processes, on other hosts too, from adding to the same file; leaves no empty one.

    Raises:
        UserError: another one is at it.
    """
    try:
        file = open(partial, "ab")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise UserError(f"{partial}: cannot write: {reason(error)}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{partial}: another process is downloading it; wait until it is done") from None
        except OSError:  # a file system without locks
            pass
        try:
            yield
        finally:
            if partial.exists() and not partial.stat().st_size:
                partial.unlink()


def _receive_all(archive: Archive, partial: Path, advice: str, attempts: int, wait: float,
                 timeout: float) -> None:
    """Fills `partial`, trying again after failures."""
    failures = 0
    while failures < attempts:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            _receive(archive, partial, timeout)
            break
        except urllib.error.HTTPError as error:
            if _complete(error, partial):
                break
            if error.code == 416:
                partial.unlink(missing_ok=True)
            elif error.code < 500:
                raise UserError(f"{archive.url}: {error.code} {error.reason}; {advice}") from None
            why = f"{error.code} {error.reason}"
        except (OSError, HTTPException, ValueError) as error:
            if getattr(error, "errno", None) in _DISK:
                raise UserError(f"{partial}: cannot write: {error.strerror}") from None
            why = str(getattr(error, "reason", error)) or type(error).__name__
        grown = partial.exists() and partial.stat().st_size > before
        failures = 1 if grown else failures + 1
        if failures < attempts:
            time.sleep(wait * 2 ** (failures - 1))
    else:
        raise UserError(f"{archive.url}: {why}; try again later (it goes on where it stopped), or {advice}")


def _accept(archive: Archive, partial: Path, target: Path) -> Path:
    """Gives a complete download its name, if it is the right file."""
    wrong = problem(partial, archive)
    partial.with_name(partial.name + ".tag").unlink(missing_ok=True)
    if wrong:
        partial.unlink()
        raise UserError(f"{archive.url}: the file {wrong}; it was deleted, run this again")
    os.replace(partial, target)
    if not archive.digest:
        print(unchecked(archive, target), file=sys.stderr)
    return target


def unchecked(archive: Archive, path: Path) -> str:
    """A line about a download that nothing was held against."""
    way = "without encryption " if archive.url.startswith("http:") else ""
    seen = f"; its SHA-256 is {_digest(path, 'sha256')}" if path.stat().st_size < _QUICK else ""
    return (f"{archive.name}: came {way}from {archive.url.split('/')[2]}, and no checksum is known that it "
            f"could be held against{seen}")


def _members(path: Path, kind: str):
    """(name, open file) of each file in an archive; links and devices are left out."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and not entry.filename.startswith("__MACOSX/"):
                    with archive.open(entry) as file:
                        yield entry.filename, file
    elif kind == "tar":
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, archive.extractfile(member)
    else:
        with gzip.open(path) as file:
            yield path.name.removesuffix(".gz"), file


def unpack(path: Path, kind: str, folder: Path, top: str = "") -> int:
    """Unpacks an archive into `folder`: all of it or nothing.

    Args:
        kind: 'zip', 'tar' or 'gz'.
        top: a folder in the archive whose content goes straight into `folder`.

    Returns:
        Number of files.

    Raises:
        UserError: broken, a file in it wants to go elsewhere, or the disk is full.
    """
    staging, count = partial_of(folder / f".{path.name}"), 0
    try:
        for name, file in tqdm(_members(path, kind), f"unpacking {path.name}", unit=" files", leave=False,
                               disable=None):
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if not parts or name.startswith("/") or ".." in parts or ":" in parts[0]:
                raise UserError(f"{path}: a file in it wants to be written to '{name}'; do not use this "
                                f"archive")
            place = staging.joinpath(*(parts[1:] if top and parts[0] == top else parts))
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(place, "wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
            count += 1
        _move_content(staging, folder)
    except UserError:
        raise
    except Exception as error:  # a broken archive can raise anything
        if isinstance(error, OSError) and error.errno:
            raise UserError(
                f"{folder}: cannot unpack into it: {reason(error)}; make room or give another folder"
            ) from None
        raise UserError(
            f"{path}: cannot be unpacked ({reason(error)}); delete it and run this again"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return count


def _move_content(source: Path, target: Path) -> None:
    """Moves all files of `source` to the same places below `target`, replacing what is there."""
    for folder, _, files in os.walk(source):
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            os.replace(Path(folder, name), place / name)


def _at(archive: Archive, base: str, check: bool) -> Archive:
    archive = replace(archive, url=f"{base.rstrip('/')}/{archive.name}") if base else archive
    return archive if check else replace(archive, size=0, digest="")


def download(dataset: DataSet, folder, base: str = "", check: bool = True, keep: bool = False,
             wait: float = 1.0) -> int:
    """Downloads and unpacks a whole data set into `folder`; goes on where an earlier call stopped, does
    nothing if it is there.

    Args:
        base: take the files from this address (a mirror) in place of their own.
        check: hold size and checksum to the known ones.
        keep: keep the archives after unpacking.

    Returns:
        Number of files unpacked (0: it was there already).

    Raises:
        UserError: as `fetch` and `unpack`; or the data set cannot be downloaded without registering.
    """
    if dataset.command:
        raise UserError(f"{dataset.name}: is no plain download; get it with '{dataset.command}'")
    if not dataset.archives:
        raise UserError(f"{dataset.name}: cannot be downloaded without registering; get it from "
                        f"{dataset.home}")
    folder, count = Path(folder), 0
    if _is_here(dataset, folder):
        return 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_space(folder, sum(a.size for a in dataset.archives))
        for archive in dataset.archives:
            file = fetch(_at(archive, base, check), folder, wait=wait)
            count += unpack(file, archive.unpack, folder, dataset.top) if archive.unpack else 1
        (folder / _DONE).write_text("\n".join(a.name for a in dataset.archives))
        for archive in dataset.archives if not keep else ():
            if archive.unpack:
                (folder / archive.name).unlink()
    except OSError as error:
        raise UserError(f"{folder}: cannot write: {error.strerror}") from None
    return count


def _is_here(dataset: DataSet, folder: Path) -> bool:
    """Whether an earlier call finished, and its files were not deleted since."""
    with contextlib.suppress(OSError):
        finished = (folder / _DONE).read_text(errors="replace").split() == [a.name for a in dataset.archives]
        return finished and any(not p.name.startswith(".") for p in folder.iterdir())
    return False


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    # archives that an earlier call left
    here = sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
    needed = max(0, 2 * size - here)
    if free < needed:
        raise UserError(f"{folder}: {free / 1e9:.1f} GB are free, but download and unpacking need "
                        f"{needed / 1e9:.1f} GB")
