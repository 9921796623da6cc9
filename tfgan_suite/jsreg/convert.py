"""Weights of the original programs, for `tools/convert.py`."""
from __future__ import annotations

from tfgan_suite.errors import UserError
from tfgan_suite.jsreg import dcgan_convert, gan64_convert

READERS = {"jsreg_dcgan": dcgan_convert.convert, "jsreg_gan64": gan64_convert.convert}


def convert(path: str, params) -> dict:
    """Network kind (or 'state') -> arrays of a TF1 checkpoint of the experiment's original program.

    Raises:
        UserError: the original writes none (`jsreg_mixture`), or it cannot be used.
    """
    if params.system not in READERS:
        raise UserError(f"{params.name}: the original of {params.system} writes no checkpoints; train it with ./train.py")
    return READERS[params.system](path, params)
