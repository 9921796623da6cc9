"""The user's cache folder: things that can be made again, keyed by what they were made from."""
from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive


def folder(*parts: str) -> Path:
    """`$XDG_CACHE_HOME/tfgan_suite/...` (or `~/.cache/tfgan_suite/...`), made if it is missing.

    Raises:
        UserError: it cannot be made.
    """
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = Path(root, "tfgan_suite", *parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot make the cache folder: {error.strerror}; "
                        f"set XDG_CACHE_HOME to a folder that you can write") from error
    return path


def key(*parts) -> str:
    """A short name for content: hexadecimal digits that change with any of the parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:24]


def sha256(path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write(path: Path, arrays) -> None:
    """Writes an `.npz` of (name, array) pairs that other processes may be writing at the same time: the last
    one stays.

    Raises:
        UserError: it cannot be written.
    """
    own = archive.partial_of(path)
    archive.write(own, arrays)
    os.replace(own, path)
