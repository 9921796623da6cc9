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


def load(path) -> list[Filters]:
    """Reads a filter file: one group for each shape, in the order in which the shapes first come.

    Raises:
        UserError: missing or corrupt.
    """
    return grouped(archive.Archive(path), path)


def grouped(arrays: Mapping, path) -> list[Filters]:
    """The filters of a filter file's arrays, a group for each kernel, stride and number of channels.

    Raises:
        UserError: it holds none, or of impossible shapes; `path` names it.
    """
    with reading(path, "is not a filter file", "make one with filts/rproj.py"):
        count = int(arrays["nfilt"])
        filters = [arrays[f"p{i}"] for i in range(count)]
        strides = [int(arrays[f"s{i}"]) for i in range(count)]
    if not filters:
        raise UserError(f"{path}: holds no filters; make them with filts/rproj.py")
    groups: dict[tuple, list[int]] = {}
    for i, (p, stride) in enumerate(zip(filters, strides)):
        if p.ndim != 4 or p.shape[0] != p.shape[1] or p.shape[2] != 3:
            raise UserError(f"{path}: filters must have the shape [k, k, 3, channels]; make them with "
                            f"filts/rproj.py")
        if not 1 <= stride <= p.shape[0]:
            raise UserError(f"{path}: filter {i} has stride {stride} and side {p.shape[0]}; make it with "
                            f"filts/rproj.py")
        groups.setdefault((p.shape, stride), []).append(i)
    return [Filters(np.stack([filters[i] for i in numbers]).astype(np.float32), stride, tuple(numbers))
            for (_, stride), numbers in groups.items()]


def alike(a: Mapping, b: Mapping) -> bool:
    """Whether two filter files hold filters of the same shapes and strides, in the same order."""
    return set(a) == set(b) and all(a[n].shape == b[n].shape and (n[0] == "p" or a[n] == b[n]) for n in a)
