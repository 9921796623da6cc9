"""List files: one image path a line. Nothing here imports TensorFlow."""
from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from pathlib import Path

from tfgan_suite.data import catalog
from tfgan_suite.errors import UserError, reading, reason
from tfgan_suite.files import archive

_LONGEST = 1 << 30  # bytes of a list
_MARKS = (("utf-8-sig", codecs.BOM_UTF8), ("utf-16", codecs.BOM_UTF16_LE), ("utf-16", codecs.BOM_UTF16_BE))


def _text(data: bytes, path) -> str:
    """The text of a list in any encoding that marks itself, else in that of the file names here (UTF-8)."""
    encoding = next((name for name, mark in _MARKS if data.startswith(mark)), "")
    if encoding:
        with reading(path, f"is not a text file in {encoding}", "save it as UTF-8, one image path a line"):
            return data.decode(encoding)
    if b"\0" in data:
        raise UserError(f"{path}: is not a text file in UTF-8; lfile must list one image path a line")
    return os.fsdecode(data)


def read_list(path) -> list[tuple[int, str]]:
    """(line number from 1, image path) of every line that is not blank. Lines may end as on any system.

    The text is UTF-8, or UTF-16 with its mark (as Windows tools write it). Bytes that are not UTF-8 stand for
    themselves, so that files with names of another encoding can be listed.

    Raises:
        UserError: the list cannot be read, is no text, or lists nothing.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LONGEST + 1)
    except FileNotFoundError:
        make = "make one from a folder of images with 'tools/datasets.py list FOLDER'"
        raise UserError(f"{path}: no such list file; {catalog.advice(path, make)}, or give another "
                        f"lfile") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot read the list file: {reason(error)}; give another lfile") from None
    if len(data) > _LONGEST:
        raise UserError(f"{path}: is longer than a gigabyte; lfile must list one image path a line")
    lines = _text(data, path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    entries = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not entries:
        raise UserError(f"{path}: lists no images; write one path a line")
    return entries


def unlistable(path) -> str:
    """Why a path cannot be a line of a list, or ''."""
    text = str(path)
    if "\n" in text or "\r" in text:
        return "has a line break in its name; rename it"
    return "ends in a space; rename it" if text != text.rstrip() else ""


def listed_path(path) -> str:
    """`path` as a list has it: from the current folder if it lies below it, else absolute."""
    absolute = Path(path).absolute()
    text = str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
    if unlistable(text):
        raise UserError(f"{text!r}: {unlistable(text)}, or work in another folder")
    return text if text == text.strip() else f"./{text}"  # a list's lines are stripped


def list_text(paths: Iterable) -> str:
    """The content of a list file."""
    return "".join(f"{listed_path(path)}\n" for path in paths)


def write_list(path, paths: Iterable) -> None:
    """Writes a list file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    archive.write_bytes(path, os.fsencode(list_text(paths)))
