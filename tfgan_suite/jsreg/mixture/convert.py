"""Weights of the original `3DGAN.py`: there are none."""
from __future__ import annotations

from tfgan_suite.errors import UserError


def convert(path: str, params) -> dict:
    """Refuses: the original writes no checkpoints.

    Raises:
        UserError: always.
    """
    raise UserError(f"{params.name}: the original of {params.system} writes no checkpoints; train it with "
                    f"./train.py")
