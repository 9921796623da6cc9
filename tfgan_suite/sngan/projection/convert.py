"""Weights of pfnet-research/sngan_projection as ours: the snapshots `<Generator>_N.npz` and
`<Discriminator>_N.npz`."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfgan_suite import registry
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive

_NAME = re.compile(r".*(Generator|Discriminator)_(\d+)\.npz")


def _generator(source) -> Path:
    """G's snapshot: `source` itself, the one beside D's, or the newest in a folder.

    Raises:
        UserError: there is none.
    """
    path = Path(source)
    if path.is_dir():
        found = {int(m[2]): path / m[0] for m in map(_NAME.fullmatch, sorted(p.name for p in path.iterdir()))
                 if m and m[1] == "Generator"}
        if not found:
            raise UserError(f"{path}: holds no generator of the authors' program (ResNetGenerator_N.npz)")
        return found[max(found)]
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise UserError(f"{path}: is no snapshot of a network; give ResNetGenerator_N.npz (the discriminator "
                        "beside it is found), or the folder that holds it")
    if named[1] == "Generator":
        return path
    beside = sorted(path.parent.glob(f"*Generator_{named[2]}.npz"))
    if not beside:
        raise UserError(f"{path}: is a discriminator, and no ResNetGenerator_{named[2]}.npz lies beside it; "
                        f"give that file")
    return beside[0]


def iteration(path: str, params=None) -> int:
    """N of a snapshot `_N.npz`."""
    return int(_NAME.fullmatch(_generator(path).name)[2])


def convert(path: str, params) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of G's snapshot, and of D's if it lies beside it; they have our names already.

    Args:
        path: G's or D's snapshot, or their folder (then the newest).
        params: of the experiment that goes on with them.

    Returns:
        'g' and, where it is there, 'd': name -> array.

    Raises:
        UserError: not there, unreadable, or of another model.
    """
    files = {"g": _generator(path)}
    others = sorted(files["g"].parent.glob(f"*Discriminator_{iteration(path)}.npz"))
    if others:
        files["d"] = others[0]
    system, result = registry.system_class(params.system)(params), {}
    for kind, file in files.items():
        system.networks[kind].assign(Archive(file))
        result[kind] = dict(system.networks[kind].arrays())
    return result
