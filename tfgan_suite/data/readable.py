"""A look at all image files of a set, so that a broken one is not met in the middle of a run."""
from __future__ import annotations

from pathlib import Path

from PIL import Image

from tfgan_suite.data.beside import Beside, problem, workers
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.rgb import read_rgb
from tfgan_suite.data.source import Source
from tfgan_suite.files.archive import open_regular

ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}  # what a whole file of the format has in its last bytes
TAIL = 64


def _whole(path: Path) -> bool:
    """Whether the file begins and ends like a whole JPEG or PNG; False says that only decoding it can
    tell."""
    try:
        with open_regular(path) as file:
            with Image.open(file) as picture:
                end = ENDS.get(picture.format or "")
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL, 0))
            return end is not None and end in file.read()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _problem(path: Path) -> str:
    """What is wrong with an image file, or ''."""
    return "" if _whole(path) else problem(read_rgb, path)


def look(source: Source, numbers) -> list[str]:
    """What is wrong with some images of a source; nothing where images have no files of their own.

    The begin and the end of each file are looked at, and those that look odd are decoded. Of a packed file,
    whose images were looked at when it was made, it is whether they are the same still.
    """
    if not len(source.paths):
        return source.changed(numbers)
    found = in_parallel(_problem, [source.paths[i] for i in numbers], "", workers())
    return [text for text in found if text]


def watch(source: Source) -> Beside:
    """Looks at all image files beside the training; `check` of the result raises what it has found.

    Raises:
        UserError: an image of those that could be looked at in the first seconds cannot be read.
    """
    return Beside(source.name, len(source), lambda numbers: look(source, numbers))


def check(source: Source) -> None:
    """The whole look, now.

    Raises:
        UserError: some cannot be read; says how many, and what is wrong with the first.
    """
    Beside(source.name, len(source), lambda numbers: look(source, numbers), to_the_end=True)
