"""The exceptions that mean "the input is wrong" or "the run went wrong", not "the program is wrong"."""


class UserError(Exception):
    """A mistake in what the user gave us.

    Its text is one line that names the file or option, says what is wrong and what to do. The commands print that line
    and exit with status 2; every other exception is a bug of ours and shows its traceback.
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
