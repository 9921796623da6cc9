"""Rules from numbers to bytes and back: one function for each rule of an original."""
from __future__ import annotations

import numpy as np


def to_uint8(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes by truncation, in float32: the rule of ayanc/rpgan (section 3.2 of its spec)."""
    x = np.asarray(x, np.float32)
    scaled = (x * np.float32(0.5) + np.float32(0.5)) * np.float32(255.0)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def to_float(x: np.ndarray) -> np.ndarray:
    """Bytes -> [-1, 1] float32: x * (2/255) - 1."""
    return x.astype(np.float32) * np.float32(2.0 / 255.0) - np.float32(1.0)


def unshifted(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes without a shift to [0, 1]: negative values are black, as in alenmora/ppgan's pictures."""
    return np.clip(np.asarray(x, np.float32) * np.float32(255), 0, 255).astype(np.uint8)
