"""Where the 2015 Inception graph lies, and whether it is the right file."""
from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from tfgan_suite.data.catalog import Archive
from tfgan_suite.data.download import fetch, problem, unpack
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import write_bytes
from tfgan_suite.metrics import cache

FILE = "classify_image_graph_def.pb"
VARIABLE = "TFGAN_SUITE_INCEPTION"
SHA_VARIABLE = VARIABLE + "_SHA256"
TARBALL = Archive("http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz",
                  "inception-2015-12-05.tgz",
                  88931400, unpack="tar")
# Its publisher gives no digest. Size and MD5 are those that users of the file record (such as OpenAI's
# evaluator's copy).
ORIGINAL = Archive(TARBALL.url, FILE, 95673916, "md5:e6bb154e85f5d4331c22abcddb5dcf31")


@dataclass(frozen=True)
class GraphFile:
    """A checked graph file and its SHA-256, which goes into every protocol."""

    path: Path
    sha256: str


def folder() -> Path:
    """Where the graph is kept, and downloaded to."""
    return cache.folder("inception")


def find(given: str = "", sha256: str = "", download: bool = False, tarball: Archive = TARBALL) -> GraphFile:
    """The graph file: `given`, else the file that $TFGAN_SUITE_INCEPTION names, else the one in the cache
    folder.

    Args:
        given: path from an option or a parameter.
        sha256: what the file's SHA-256 must be (default: $TFGAN_SUITE_INCEPTION_SHA256). Without it the file
            must be the original's, by size and MD5; and the one in the cache folder must still have the
            SHA-256 of its first use.
        download: fetch it into the cache folder if it is not there.
        tarball: where from.

    Raises:
        UserError: there is none, or it is another file.
    """
    sha256 = sha256 or os.environ.get(SHA_VARIABLE, "")
    named = given or os.environ.get(VARIABLE, "")
    if named:
        path = Path(named) / FILE if os.path.isdir(named) else Path(named)
        if not path.is_file():
            raise UserError(f"{path}: no such file; {'--graph' if given else '$' + VARIABLE} must name "
                            f"{FILE}")
        return check(path, sha256)
    path = folder() / FILE
    if not path.is_file():
        if not download:
            raise UserError(f"the 2015 Inception graph is missing: put {FILE} (from {tarball.url}) into "
                            f"{path.parent}, name it with --graph or ${VARIABLE}, or run tools/evaluate.py "
                            "with --download")
        _download(tarball, path, sha256)
    return _remembered(path, sha256)


def _download(tarball: Archive, path: Path, sha256: str) -> None:
    """Fetches and unpacks the graph; a wrong one does not stay."""
    archive = fetch(tarball, path.parent)
    unpack(archive, tarball.unpack, path.parent)
    archive.unlink()
    if not path.is_file():
        raise UserError(f"{tarball.url}: holds no {FILE}; name the graph with --graph")
    try:
        check(path, sha256)
    except UserError:
        path.unlink()
        raise


def _remembered(path: Path, sha256: str) -> GraphFile:
    """Checks the file in the cache folder; its SHA-256 is noted beside it when it is first accepted."""
    note = path.with_name(FILE + ".sha256")
    noted = note.read_text(errors="replace").strip() if note.is_file() else ""
    file = check(path, sha256 or noted)
    if file.sha256 != noted:
        with contextlib.suppress(UserError):  # a cache that only others can write
            write_bytes(note, f"{file.sha256}\n".encode())
    return file


def check(path: Path, sha256: str = "") -> GraphFile:
    """The file with its SHA-256.

    Raises:
        UserError: it is another file than it should be, or cannot be read.
    """
    try:
        found = cache.sha256(path)
        wrong = "" if sha256 else problem(path, ORIGINAL)
    except OSError as error:
        raise UserError(f"{path}: cannot read the graph: {error.strerror}") from error
    if sha256 and found != sha256.lower():
        raise UserError(f"{path}: has SHA-256 {found}, not {sha256.lower()}; put the right {FILE} there")
    if wrong:
        raise UserError(f"{path}: is not the original {FILE}: it {wrong}; get that with --download, or "
                        f"accept this one with --graph_sha256={found}")
    return GraphFile(path, found)
