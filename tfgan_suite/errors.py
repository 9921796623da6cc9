"""The exceptions that mean "the input is wrong" or "the run went wrong", not "the program is wrong"."""
from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterator

_WORD = 200  # characters of a word that are shown, where it has twice as many
_LONGEST = 160  # characters of another program's message that are passed on


class UserError(Exception):
    """A mistake in what the user gave us.

    Its text is one line that names the file or option, says what is wrong and what to do. The commands print
    that line and exit with status 2; every other exception is a bug of ours and shows its traceback.
    """

    status = 2


class Diverged(UserError):
    """A scalar of the training is no longer finite. The commands exit with status 1."""

    status = 1


class CannotWrite(UserError):
    """A file cannot be written: no room, no permission.

    Args:
        path: the file.
        text: the whole line.
    """

    def __init__(self, path, text: str):
        super().__init__(text)
        self.path = str(path)


def reason(error: BaseException) -> str:
    """What an exception says, on one short line: the system's words for an error of the system, else its
    message."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    text = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@contextlib.contextmanager
def reading(path, problem: str = "is broken or of another kind",
            advice: str = "put a good copy in its place") -> Iterator[None]:
    """Around a parser of bytes from outside: whatever it raises becomes one line that names the file.

    A damaged file can make a parser raise anything, so that a list of exceptions is never complete. Only the
    parser belongs
    inside: an exception anywhere else is a bug of ours and keeps its traceback.

    Args:
        path: names the file in the message.
        problem: what is wrong with a file that cannot be parsed.
        advice: what to do.

    Raises:
        UserError: in place of any other `Exception` that is raised inside; a `UserError` passes as it is.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {advice}") from None
    except Exception as error:
        # of the system; parsers raise OSError too, for what they find
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{path}: cannot be read: {reason(error)}; {advice}") from error
        raise UserError(f"{path}: {problem} ({reason(error)}); {advice}") from error


@contextlib.contextmanager
def naming(where) -> Iterator[None]:
    """Around work on one file whose mistakes are told without its name: puts `where` before them."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def quoted(word) -> str:
    """A word of a command as a shell wants it, whatever is in it: spaces, quotes, line breaks, bytes that are
    no text."""
    text = str(word)
    if text.isprintable():
        return shlex.quote(text)
    plain = [c if c.isprintable() and c not in "'\\" else "".join(f"\\x{byte:02x}" for byte in os.fsencode(c))
             for c in text]
    return f"$'{''.join(plain)}'"


def one_line(text: str) -> str:
    """A message as one line that a terminal can show: line breaks become spaces, other control characters
    their codes; of words without end the beginning is shown."""
    joined = " ".join(part.strip() for part in text.splitlines())
    joined = re.sub(rf"(\S{{{_WORD}}})\S{{{_WORD},}}", r"\1...", joined)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
                   for c in joined)
