"""A reader of LMDB files ("Lightning" database, as LSUN is published) in plain Python: keys and values in
order, nothing else.

Layout (lmdb 0.9, little-endian, 64 bit): pages of a power of two; pages 0 and 1 are meta pages, of which the
one with the larger transaction number counts. It holds the root of a B+ tree: branch pages point to pages,
leaf pages hold keys with their values, or with the number of the first of several overflow pages where a
value is large.
"""
from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from tfgan_suite.errors import UserError

_MAGIC = 0xBEEFC0DE
_HEAD = 16  # page number u64, pad u16, flags u16, lower u16, upper u16 (overflow pages: their count u32)
_BRANCH, _LEAF, _OVERFLOW, _LEAF2 = 0x01, 0x02, 0x04, 0x20
_BIG, _SUB, _DUP = 0x01, 0x02, 0x04  # flags of a node


class Lmdb:
    """An environment's main database, mapped into memory and never written.

    Args:
        path: the folder with `data.mdb`, or that file.

    Raises:
        UserError: missing, not an LMDB file, or of a kind that this reader does not know.
    """

    def __init__(self, path):
        self.path = Path(path) / "data.mdb" if Path(path).is_dir() else Path(path)
        try:
            with open(self.path, "rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file
            raise UserError(f"{self.path}: {getattr(error, 'strerror', None) or 'is empty'}") from None
        self._page_size, self._root, self.entries = self._meta()

    def _broken(self, what: str) -> UserError:
        return UserError(f"{self.path}: is broken or truncated ({what}); unpack or download it again")

    def _meta(self) -> tuple[int, int, int]:
        """(page size, root page, number of entries) of the newer meta page."""
        first = self._meta_page(0)
        if first is None:
            raise UserError(f"{self.path}: is not an LMDB file of 64-bit little-endian kind; give the folder "
                            f"of data.mdb")
        page_size = first[1]
        if page_size < 256 or page_size & (page_size - 1):
            raise self._broken(f"page size {page_size}")
        newest = max(filter(None, (first, self._meta_page(page_size))))
        return page_size, newest[2], newest[3]

    def _meta_page(self, offset: int):
        """(transaction, page size, root, entries), or None if there is no meta page at `offset`."""
        if offset + _HEAD + 136 > len(self._data):
            return None
        magic, version = struct.unpack_from("<II", self._data, offset + _HEAD)
        if (magic, version) != (_MAGIC, 1):
            return None
        databases = offset + _HEAD + 24  # after magic, version, address, map size
        page_size, = struct.unpack_from("<I", self._data, databases)
        entries, root = struct.unpack_from("<QQ", self._data, databases + 48 + 32)
        transaction, = struct.unpack_from("<Q", self._data, databases + 96 + 8)
        return transaction, page_size, root, entries

    def _page(self, number: int) -> tuple[int, int, int]:
        """(offset, flags, number of nodes) of a page."""
        offset = number * self._page_size
        if offset + self._page_size > len(self._data):
            raise self._broken(f"page {number} lies behind the end")
        flags, lower = struct.unpack_from("<HH", self._data, offset + 10)
        if flags & (_BRANCH | _LEAF) and lower > self._page_size:
            raise self._broken(f"page {number}")
        return offset, flags, (lower - _HEAD) // 2

    def __len__(self):
        return self.entries

    def places(self) -> Iterator[tuple[bytes, int, int]]:
        """(key, offset, size) of every value, in the order of the keys.

        Raises:
            UserError: the file is broken, or holds named or multiple-value databases.
        """
        if self.entries == 0 or self._root == 2**64 - 1:
            return
        stack, left = [self._root], len(self._data) // self._page_size
        while stack:
            number, left = stack.pop(), left - 1
            offset, flags, count = self._page(number)
            nodes = struct.unpack_from(f"<{max(0, count)}H", self._data, offset + _HEAD)
            # each page is met once, or they form a loop
            if any(node + 8 > self._page_size for node in nodes) or left < 0:
                raise self._broken(f"page {number}")
            if flags & _LEAF and not flags & _LEAF2:
                for node in nodes:
                    yield self._leaf(offset + node)
            elif flags & _BRANCH:
                stack += [self._child(offset + node) for node in reversed(nodes)]
            else:
                raise self._broken(f"page {number} is neither branch nor leaf")

    def _child(self, at: int) -> int:
        low, high, top = struct.unpack_from("<HHH", self._data, at)
        return low | high << 16 | top << 32

    def _leaf(self, at: int) -> tuple[bytes, int, int]:
        low, high, flags, key_size = struct.unpack_from("<HHHH", self._data, at)
        size, start = low | high << 16, at + 8 + key_size
        key = self._data[at + 8:start]
        if flags & (_SUB | _DUP):
            raise UserError(f"{self.path}: holds databases within the database, as no image set does; export "
                            f"it to a folder")
        if flags & _BIG:
            if start + 8 > len(self._data):
                raise self._broken("a key lies behind the end")
            number, = struct.unpack_from("<Q", self._data, start)
            offset, page_flags, _ = self._page(number)
            if not page_flags & _OVERFLOW:
                raise self._broken(f"page {number} is no overflow page")
            start = offset + _HEAD
        if start + size > len(self._data):
            raise self._broken("a value lies behind the end")
        return key, start, size

    def read(self, offset: int, size: int) -> bytes:
        """A value, by the place that `places` gave."""
        return self._data[offset:offset + size]
