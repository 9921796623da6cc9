"""Files of random-projection filters, `filts.npz`, in the format of ayanc/rpgan's `filts/rproj.py`."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive
from tfgan_suite.layers.projections import Filters, draw, parse


def make(specs, seed: int | None = None) -> dict[str, np.ndarray]:
    """Arrays of a filter file: normal draws, divided per output channel by their L2 norm over (k, k, 3).

    Args:
        specs: texts `K,S,F,N`; the filters are numbered on over them.
        seed: None draws from the system's entropy, as the original does.
    """
    generator = np.random.RandomState(seed)
    arrays: dict[str, np.ndarray] = {}
    count = 0
    for k, s, f, n in map(parse, specs):
        for _ in range(n):
            arrays[f"p{count}"] = draw(generator, k, f)
            arrays[f"s{count}"] = np.array(s)
            count += 1
    return {"nfilt": np.array(count), **arrays}


def write(path, specs, seed: int | None = None) -> int:
    """Writes a filter file and returns the number of filters."""
    arrays = make(specs, seed)
    archive.write(path, arrays.items())
    return int(arrays["nfilt"])


def load(path) -> Filters:
    """Reads a filter file.

    Raises:
        UserError: missing or corrupt, or filters of different strides, channel counts or sizes.
    """
    return stacked(archive.Archive(path), path)


def stacked(arrays: Mapping, path) -> Filters:
    """The filters of a filter file's arrays.

    Raises:
        UserError: it holds none, or of different strides, channel counts or sizes; `path` names it.
    """
    with reading(path, "is not a filter file", "make one with filts/rproj.py"):
        count = int(arrays["nfilt"])
        filters = [arrays[f"p{i}"] for i in range(count)]
        strides = [int(arrays[f"s{i}"]) for i in range(count)]
    if not filters:
        raise UserError(f"{path}: holds no filters; make them with filts/rproj.py")
    if any(p.ndim != 4 or p.shape[0] != p.shape[1] or p.shape[2] != 3 for p in filters):
        raise UserError(f"{path}: filters must have the shape [k, k, 3, channels]; make them with filts/rproj.py")
    for what, values in (("strides", strides), ("numbers of channels", [p.shape[3] for p in filters]),
                         ("sizes", [p.shape[0] for p in filters])):
        if len(set(values)) > 1:
            raise UserError(f"{path}: the filters have different {what} ({sorted(set(values))}); they must be equal")
    if not 1 <= strides[0] <= filters[0].shape[0]:
        raise UserError(f"{path}: the filters have stride {strides[0]} and side {filters[0].shape[0]}; make them with "
                        f"filts/rproj.py")
    return Filters(np.stack(filters).astype(np.float32), strides[0])
