"""List files: one image path a line. Nothing here imports TensorFlow."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive


def read_list(path) -> list[tuple[int, str]]:
    """(line number from 1, image path) of every line that is not blank.

    Raises:
        UserError: the list cannot be read, is no text, or lists nothing.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such list file; make one from a folder of images with "
                        f"'tools/datasets.py list FOLDER', or give another lfile") from None
    except OSError as error:
        raise UserError(f"{path}: cannot read the list file: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file; lfile must list one image path a line") from None
    entries = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not entries:
        raise UserError(f"{path}: lists no images; write one path a line")
    return entries


def listed_path(path) -> str:
    """`path` as a list has it: from the current folder if it lies below it, else absolute."""
    absolute = Path(path).absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def list_text(paths: Iterable) -> str:
    """The content of a list file."""
    return "".join(f"{listed_path(path)}\n" for path in paths)


def write_list(path, paths: Iterable) -> None:
    """Writes a list file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    archive.write_bytes(path, list_text(paths).encode())
