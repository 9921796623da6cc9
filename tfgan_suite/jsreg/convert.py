"""Weights of the original programs, for `tools/convert.py`."""
from __future__ import annotations

import re
from pathlib import Path

from tfgan_suite.errors import UserError
from tfgan_suite.jsreg import dcgan_convert, gan64_convert, saver

READERS = {"jsreg_dcgan": dcgan_convert.convert, "jsreg_gan64": gan64_convert.convert}


def iteration(path: str, params) -> int:
    """The number of our checkpoint: `jsreg_gan64` counts iterations done, its original from 0; the others agree."""
    if params.system == "jsreg_gan64":
        return gan64_convert.iteration(path)
    numbers = re.findall(r"\d+", Path(saver.prefix(path)).name)
    return int(numbers[-1]) if numbers else 0


def convert(path: str, params) -> dict:
    """Network kind (or 'state') -> arrays of a TF1 checkpoint of the experiment's original program.

    Raises:
        UserError: the original writes none (`jsreg_mixture`), or it cannot be used.
    """
    if params.system not in READERS:
        raise UserError(f"{params.name}: the original of {params.system} writes no checkpoints; train it with ./train.py")
    return READERS[params.system](path, params)
