"""Packed files: the picture files of a list or a folder behind one another in one file, with an index.

A pack takes the place of a million small files: it is opened at once, needs some 50 bytes of memory a picture,
was looked at when it was made, and its pictures are the same files to the byte. Its parts:

| part | content |
|---|---|
| files | the bytes of all picture files, in order |
| index | an `.npz` archive: `ends` int64 [n] (where each file ends), `crc` uint32 [n] (CRC-32 of its bytes), `times` int64 [n] (when it was changed, ns), `names` (UTF-8, a zero byte behind each), `name_ends` int64 [n], `source` (what was packed), `digest` (SHA-256 of the list, '' for a folder) |
| end | 32 bytes: `MAGIC`, where the index begins (8 bytes), its CRC-32 (4), four zeros; little-endian |
"""  # noqa: E501
from __future__ import annotations

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfgan_suite.data import rgb
from tfgan_suite.data.decode import HEAD, TAIL, decode, dimensions, ends_whole, read_bytes
from tfgan_suite.data.folder import find_images
from tfgan_suite.data.lists import read_list
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source, stamp_of
from tfgan_suite.errors import CannotWrite, UserError, quoted, reading
from tfgan_suite.files import archive

ENDING = ".pack"
MAGIC = b"tfgan pack 1\n\0\0\0"
_END = struct.Struct("<16sQII")
_ENTRY = struct.Struct("<QQII")  # of the journal: size, time, CRC-32, CRC-32 of the name
_BLOCK = 256


def is_pack(path) -> bool:
    """Whether a path means a packed file, by its ending."""
    return str(path).endswith(ENDING)


def _again(source: str, path) -> str:
    return f"make it again with 'tools/datasets.py pack {quoted(source)} {quoted(path)}'"


# -- making ----------------------------------------------------------------------------------------------
def _names(source: Path) -> tuple[list[str], str]:
    """Names of the files, as listed or below the folder, and the digest of the list."""
    if source.is_dir():
        found = [str(path.relative_to(source)) for path in find_images(source)]
        if not found:
            raise UserError(f"{source}: no pictures in it; give the folder of your pictures")
        return found, ""
    return [name for _, name in read_list(source)], hashlib.sha256(read_bytes(source)).hexdigest()


def _sound(path: str) -> bytes:
    """A file's bytes, looked at as at the start of a training."""
    data = read_bytes(path)
    if dimensions(data[:HEAD]) is None or not ends_whole(data[:1], data[-TAIL:]):
        rgb.read_rgb(io.BytesIO(data), path)
    return data


def _journal(path: Path, files: Sequence[str]) -> list[tuple]:
    """What an earlier call has written whole, as long as the files are the same still."""
    entries = []
    data = path.read_bytes() if path.is_file() else b""
    for at, name in zip(range(0, len(data) - _ENTRY.size + 1, _ENTRY.size), files):
        entry = _ENTRY.unpack_from(data, at)
        about = os.stat(name) if os.path.exists(name) else None
        if about is None or entry[:2] != (about.st_size, about.st_mtime_ns) or \
                entry[3] != zlib.crc32(os.fsencode(name)):
            break
        entries.append(entry)
    return entries


def make(source, path) -> int:
    """Packs the files of a list or a folder; a call that was stopped is gone on with by the next one.

    Args:
        source: a list file, or a folder whose pictures are packed in the order in which training sees them.
        path: the packed file to write, whole or not at all.

    Returns:
        How many pictures it holds.

    Raises:
        UserError: a picture that cannot be read (take it away and call again), or nothing to pack.
        CannotWrite: no room.
    """
    source, path = Path(source), Path(path)
    if not is_pack(path):
        raise UserError(f"{path}: a packed file's name ends in {ENDING}")
    names, digest = _names(source)
    files = [str(source / name) for name in names] if source.is_dir() else names
    archive.make_folder(path.parent)
    partial, journal = path.with_name(path.name + ".partial"), path.with_name(path.name + ".journal")
    entries = _journal(journal, files)
    try:
        _append(partial, journal, files, entries)
        _finish(partial, entries, names, str(source), digest)
    except OSError as error:
        raise CannotWrite(path, f"{path}: cannot write: {error.strerror or error}; what is packed stays, run "
                                f"the command again") from error
    archive.rename(partial, path)
    archive.sync_folder(path.parent)
    archive.remove(journal)
    return len(names)


def _append(partial: Path, journal: Path, files: Sequence[str], entries: list) -> None:
    """Writes the files from the first that the journal lacks on; entries grow by them."""
    with open(partial, "ab") as data, open(journal, "ab") as done:
        data.truncate(sum(size for size, *_ in entries))
        done.truncate(len(entries) * _ENTRY.size)
        if os.fstat(data.fileno()).st_size < sum(size for size, *_ in entries):
            entries.clear()  # the journal of a file that is gone
            data.truncate(0)
            done.truncate(0)
        bar = tqdm(total=len(files), initial=len(entries), desc="packing", leave=False, disable=None,
                   unit=" images")
        with bar:
            for start in range(len(entries), len(files), _BLOCK):
                part = files[start:start + _BLOCK]
                fresh = []
                for name, content in zip(part, in_parallel(_sound, part, "")):
                    data.write(content)
                    fresh.append((len(content), os.stat(name).st_mtime_ns, zlib.crc32(content),
                                  zlib.crc32(os.fsencode(name))))
                data.flush()
                os.fsync(data.fileno())  # before the journal says so
                done.write(b"".join(_ENTRY.pack(*entry) for entry in fresh))
                done.flush()
                entries += fresh
                bar.update(len(part))


def _finish(partial: Path, entries: list, names: Sequence[str], source: str, digest: str) -> None:
    sizes, times, crc, _ = map(list, zip(*entries))
    encoded = [os.fsencode(name) + b"\0" for name in names]
    buffer = io.BytesIO()
    np.savez(buffer, ends=np.cumsum(sizes, dtype=np.int64), crc=np.array(crc, np.uint32),
             times=np.array(times, np.int64), names=np.frombuffer(b"".join(encoded), np.uint8),
             name_ends=np.cumsum([len(name) for name in encoded], dtype=np.int64),
             source=np.array(source), digest=np.array(digest))
    index = buffer.getvalue()
    with open(partial, "ab") as file:
        file.truncate(sum(sizes))
        file.write(index + _END.pack(MAGIC, sum(sizes), zlib.crc32(index), 0))
        file.flush()
        os.fsync(file.fileno())


# -- reading ---------------------------------------------------------------------------------------------
class Names(Sequence):
    """The names in a pack, made when they are asked for."""

    def __init__(self, text: np.ndarray, ends: np.ndarray):
        self._text, self._ends = text, ends

    def __len__(self):
        return len(self._ends)

    def __getitem__(self, index):
        start = self._ends[index - 1] if index else 0
        return os.fsdecode(self._text[start:self._ends[index] - 1].tobytes())


class Pack:
    """A packed file, open for reading from any thread.

    Attributes:
        names: of its files.
        files: paths of files to read in its place: none.
        source: what was packed.

    Raises:
        UserError: not there, not whole, or made of another list than there is now.
    """

    files: tuple = ()

    def __init__(self, path):
        self.path = str(path)
        advice = "make it again with 'tools/datasets.py pack SOURCE FILE'"
        with reading(path, "is no whole packed file", advice):
            self._file = archive.open_regular(path)
            size = os.fstat(self._file.fileno()).st_size
            end = os.pread(self._file.fileno(), _END.size, max(0, size - _END.size))
            magic, start, crc, _ = _END.unpack(end)
            if magic != MAGIC or start > size:
                raise ValueError("its end is missing")
            index = os.pread(self._file.fileno(), size - _END.size - start, start)
            if zlib.crc32(index) != crc:
                raise ValueError("its index is damaged")
            if any(member.compress_type for member in zipfile.ZipFile(io.BytesIO(index)).infolist()):
                raise ValueError("its index is no plain one")
            with np.load(io.BytesIO(index)) as found:
                self._ends, self._crc, self._times = found["ends"], found["crc"], found["times"]
                self.names = Names(found["names"], found["name_ends"])
                self.source, self._digest = str(found["source"]), str(found["digest"])
            if self._ends[-1] != start:
                raise ValueError("its files are not all there")
        if self._digest and os.path.isfile(self.source) and \
                hashlib.sha256(read_bytes(self.source)).hexdigest() != self._digest:
            raise UserError(f"{path}: {self.source} has changed since it was packed; "
                            f"{_again(self.source, path)}")

    def __len__(self):
        return len(self.names)

    def describe(self, index: int) -> str:
        """Names a picture in messages."""
        return f"{self.names[index]} (number {index + 1} in {self.path})"

    def read(self, index: int) -> bytes:
        """A file's bytes.

        Raises:
            UserError: they are not what was packed.
        """
        start = int(self._ends[index - 1]) if index else 0
        data = os.pread(self._file.fileno(), int(self._ends[index]) - start, start)
        if zlib.crc32(data) != self._crc[index]:
            raise UserError(f"{self.describe(index)}: is damaged in the packed file; "
                            f"{_again(self.source, self.path)}")
        return data

    def probe(self, index: int) -> tuple[int, int]:
        """(height, width) of a PNG or JPEG file, which was looked at when it was packed."""
        data = self.read(index)
        return dimensions(data[:HEAD]) or decode(data, self.describe(index)).shape[:2]

    def alpha(self, index: int) -> bool:
        """Whether a file is a PNG with transparent parts, as its head says."""
        start = int(self._ends[index - 1]) if index else 0
        return rgb.alpha_in_head(os.pread(self._file.fileno(), rgb.ALPHA_HEAD, start))

    def _original(self, index: int) -> str:
        name = self.names[index]
        return name if self._digest else os.path.join(self.source, name)

    def recount(self) -> list[str]:
        """A line if the folder that was packed has another number of pictures by now."""
        if self._digest or not os.path.isdir(self.source):
            return []
        found = len(find_images(Path(self.source)))
        return [] if found == len(self) else [
            f"{self.path}: {self.source} has {found} pictures now, {len(self)} when it was packed; "
            f"{_again(self.source, self.path)}"]

    def stale(self, numbers: Sequence[int]) -> list[str]:
        """Of the files that are still there outside the pack: which are others by now, a line each."""
        return list(self._changes(numbers))

    def _changes(self, numbers: Sequence[int]) -> Iterator[str]:
        for i in numbers:
            path, size = self._original(i), int(self._ends[i] - (self._ends[i - 1] if i else 0))
            try:
                about = os.stat(path)
            except OSError:
                continue  # gone: the pack holds it
            if (about.st_size, about.st_mtime_ns) != (size, int(self._times[i])):
                yield f"{path}: has changed since {self.path} was made; {_again(self.source, self.path)}"

    def stamp(self) -> str:
        """A hash of names and contents."""
        return stamp_of(*(zlib.crc32(part.tobytes()) for part in (self._ends, self._crc)), len(self))


class PackedFolder(Source):
    """The images of a packed folder, as `FolderSource` gives those of the folder.

    Args:
        path: the packed file.
        per_class: True: only images in sub-folders count, and each sub-folder is a class; False: no labels.
        background: what is seen through transparent parts.

    Raises:
        UserError: as `Pack`; or made of a list, or nothing in sub-folders.
    """

    def __init__(self, path, per_class: bool, background: tuple | None = None):
        self.pack, self.name, self.background = Pack(path), str(path), background
        self._numbers = np.arange(len(self.pack))
        if per_class:
            owners = [name.split(os.sep)[0] if os.sep in name else "" for name in self.pack.names]
            self._numbers = np.flatnonzero(owners)
            if not len(self._numbers):
                raise UserError(f"{path}: no images in sub-folders; pack a folder with a folder per class")
            self.classes = tuple(sorted(set(owners) - {""}))
            number = {name: i for i, name in enumerate(self.classes)}
            self.labels = np.array([number[owners[i]] for i in self._numbers], np.int32)

    def __len__(self):
        return len(self._numbers)

    def image(self, index):
        number = int(self._numbers[index])
        return rgb.read_rgb(io.BytesIO(self.pack.read(number)), self.pack.describe(number),
                            background=self.background)

    def describe(self, index):
        return self.pack.describe(int(self._numbers[index]))

    def changed(self, numbers: Sequence[int]) -> list[str]:
        """See `Pack.stale`."""
        first = self.pack.recount() if 0 in numbers else []
        return first + self.pack.stale([int(self._numbers[i]) for i in numbers])

    def stamp(self):
        return stamp_of(self.pack.stamp(), self.background)
