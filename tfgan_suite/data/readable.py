"""A look at all image files of a set at the start, so that a broken one is not met in the middle of a run."""
from __future__ import annotations

from pathlib import Path

from PIL import Image

from tfgan_suite.data.folder import read_rgb
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError

ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}  # what a whole file of the format has in its last bytes
TAIL = 64


def _whole(path: Path) -> bool:
    """Whether the file begins and ends like a whole JPEG or PNG; False says that only decoding it can
    tell."""
    try:
        with open(path, "rb") as file:
            with Image.open(file) as picture:
                end = ENDS.get(picture.format or "")
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL, 0))
            return end is not None and end in file.read()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _problem(path: Path) -> str:
    """What is wrong with an image file, or ''."""
    if _whole(path):
        return ""
    try:
        read_rgb(path)
    except UserError as error:
        return str(error)
    return ""


def problems(source: Source) -> list[str]:
    """What is wrong with each image file that cannot be read. It looks at the begin and the end of every
    file, and decodes those that look odd: some seconds for 100,000 files."""
    return [p for p in in_parallel(_problem, source.paths, "looking at images") if p]


def refuse(source: Source, found: list[str]) -> None:
    """Stops where there are `problems`.

    Raises:
        UserError: some cannot be read; says how many, and what is wrong with the first.
    """
    if len(found) == 1:
        raise UserError(found[0])
    if found:
        raise UserError(f"{source.name}: {len(found)} of {len(source.paths)} images cannot be read; the "
                        f"first: {found[0]}")


def check(source: Source) -> None:
    """`problems`, refused.

    Raises:
        UserError: some files cannot be read.
    """
    refuse(source, problems(source))
