"""Rules from numbers to bytes and back: one function for each rule of an original."""
from __future__ import annotations

import numpy as np


def to_uint8(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes by truncation, in float32: the rule of ayanc/rpgan."""
    x = np.asarray(x, np.float32)
    scaled = (x * np.float32(0.5) + np.float32(0.5)) * np.float32(255.0)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def to_float(x: np.ndarray) -> np.ndarray:
    """Bytes -> [-1, 1] float32: x * (2/255) - 1."""
    return x.astype(np.float32) * np.float32(2.0 / 255.0) - np.float32(1.0)


def unit_to_uint8(x: np.ndarray, output_scale: bool = False) -> np.ndarray:
    """[0, 1] -> bytes by truncation, in float32 (aleju/gan-error-avoidance).

    Args:
        output_scale: write x * 2 - 1 instead (its --output_scale, made for an older torchvision). What lies
            below zero is black; there it wraps around.
    """
    x = np.asarray(x, np.float32)
    return np.clip((x * 2 - 1 if output_scale else x) * np.float32(255.0), 0, 255).astype(np.uint8)


def gan_lib(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes: int((x + 1) * 127.5), in float32 (watsonyanghx/GAN_Lib_Tensorflow)."""
    return ((np.asarray(x, np.float32)
             + np.float32(1.0)) * np.float32(127.5)).astype(np.int32).astype(np.uint8)


def chainer(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes: 127.5 x + 127.5, clipped to 0..255 and truncated, in float32
    (pfnet-research/sngan_projection)."""
    return np.clip(np.asarray(x, np.float32) * np.float32(127.5) + np.float32(127.5), 0, 255).astype(np.uint8)


def carpedm20(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes: (x + 1) * 127.5, clipped to 0..255 and truncated (carpedm20's DCGAN)."""
    return ((np.asarray(x) + 1.0) * 127.5).clip(0, 255).astype(np.uint8)


def tflib(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes: int((x + 1) * 127.995), in float32: exactly the bytes that were scaled (igul222's
    tflib)."""
    return ((np.asarray(x, np.float32)
             + np.float32(1.0)) * np.float32(255.99 / 2)).astype(np.int32).astype(np.uint8)


def unshifted(x: np.ndarray) -> np.ndarray:
    """[-1, 1] -> bytes without a shift to [0, 1]: negative values are black, as in alenmora/ppgan's
    pictures."""
    return np.clip(np.asarray(x, np.float32) * np.float32(255), 0, 255).astype(np.uint8)
