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


def truncated_127_5(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes by truncation of (x + 1) * 127.5 (carpedm20's DCGAN)."""
    return ((np.asarray(x) + 1.0) * 127.5).clip(0, 255).astype(np.uint8)


def truncated_127_995(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes by truncation of (x + 1) * 127.995, in float32: exactly the bytes that were scaled (`gan_64x64.py`)."""
    return ((np.asarray(x, np.float32) + np.float32(1.0)) * np.float32(255.99 / 2)).astype(np.int32).astype(np.uint8)
