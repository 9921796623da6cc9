"""Fixtures: numbers recorded from the original programs, found by kind in `$GOLDEN/<system>/`.

A fixture's kind is the first word of its file name. Parity tests take every size, flag and seed from the
file, so the same
tests run on another folder of the same form: `GOLDEN=../shared/golden pytest tests/parity`.
"""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(os.environ.get("GOLDEN", Path(__file__).parent / "golden"))


def folder(system: str) -> Path:
    """Folder of a system's fixtures."""
    return ROOT / system


def files(system: str, *patterns: str) -> list[Path]:
    """Fixture files that match any of the glob patterns, sorted."""
    return sorted({p for pattern in patterns for p in folder(system).glob(pattern)})


def each(system: str, *patterns: str):
    """Parametrises a test over fixture files; it is skipped, by name, where the folder has none of that
    kind."""
    found = [pytest.param(p, id=p.stem) for p in files(system, *patterns)]
    missing = pytest.param(None,
                           marks=pytest.mark.skip(reason=f"{folder(system)} has no {' or '.join(patterns)}"))
    return pytest.mark.parametrize("path", found or [missing])


def load(path) -> dict[str, np.ndarray]:
    """All arrays of a fixture."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def under(arrays: dict, prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose name starts with `prefix`, without it."""
    return {name[len(prefix):]: value for name, value in arrays.items() if name.startswith(prefix)}


def close(actual, expected, atol: float, name: str = "") -> None:
    """|actual - expected| <= atol everywhere, and equal shapes."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{name}: shape {actual.shape}, expected {expected.shape}"
    worst = float(np.max(np.abs(actual.astype(np.float64) - expected))) if actual.size else 0.0
    assert worst <= atol, f"{name}: differs by {worst:.3g}, allowed {atol:.3g}"


def gradient_close(actual, expected, rtol: float = 1e-4, name: str = "") -> None:
    """Differences within `rtol` of the array's largest magnitude."""
    close(actual, expected, rtol * float(np.max(np.abs(expected))) + 1e-12, name)
