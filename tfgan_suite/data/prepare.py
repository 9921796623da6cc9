"""What the originals do to an image before training: crops, scales, stretches, on uint8 [H, W, C] arrays."""
from __future__ import annotations

import numpy as np
from PIL import Image

from tfgan_suite.data.rgb import MOST_PIXELS
from tfgan_suite.errors import UserError

FILTERS = {"NEAREST": Image.NEAREST, "BILINEAR": Image.BILINEAR, "BICUBIC": Image.BICUBIC,
           "LANCZOS": Image.LANCZOS,
           "BOX": Image.BOX, "HAMMING": Image.HAMMING}


def resize(image: np.ndarray, height: int, width: int, method: str = "BILINEAR") -> np.ndarray:
    """Pillow's resize to exactly height x width; the filter widens when it shrinks (antialiasing), except
    NEAREST.

    Args:
        image: uint8 [H, W, C] with C 1, 3 or 4.
        method: one of `FILTERS`.

    Raises:
        UserError: nothing would be left of it, or far more than there is.
    """
    if image.shape[:2] == (height, width):
        return image
    if min(height, width) < 1 or height * width > MOST_PIXELS:
        raise UserError(f"is {image.shape[1]}x{image.shape[0]} and would become {width}x{height}; it is too "
                        f"long and thin")
    grey = image.shape[2] == 1
    resized = Image.fromarray(image[..., 0] if grey else image).resize((width, height), FILTERS[method])
    return np.asarray(resized).reshape(height, width, image.shape[2])


def centre_crop(image: np.ndarray, height: int, width: int, where: str = "image") -> np.ndarray:
    """The middle height x width; origins are rounded, halves to even (int(round(x)) of Python 3).

    Raises:
        UserError: the crop is larger than the image.
    """
    h, w = image.shape[:2]
    if height > h or width > w:
        raise UserError(f"{where}: is {w}x{h}, smaller than the crop of {width}x{height}; choose a smaller "
                        f"crop")
    top, left = round((h - height) / 2), round((w - width) / 2)
    return image[top:top + height, left:left + width]


def square_crop(image: np.ndarray) -> np.ndarray:
    """The largest square in the middle."""
    side = min(image.shape[:2])
    return centre_crop(image, side, side)


def scale_smaller_side(image: np.ndarray, side: int, method: str = "BILINEAR") -> np.ndarray:
    """Resizes so that the smaller side becomes `side` and the other int(side * larger / smaller)
    (torchvision's Scale)."""
    h, w = image.shape[:2]
    if w <= h:
        return resize(image, int(side * h / w), side, method)
    return resize(image, side, int(side * w / h), method)


def cover(image: np.ndarray, height: int, width: int, method: str = "BILINEAR") -> np.ndarray:
    """Resizes so that the image just covers height x width, keeping its shape, and cuts out the middle."""
    h, w = image.shape[:2]
    scale = max(height / h, width / w)
    covering = resize(image, max(height, round(h * scale)), max(width, round(w * scale)), method)
    return centre_crop(covering, height, width)


def stretch(image: np.ndarray) -> np.ndarray:
    """SciPy's byte scaling of a float image: min..max over all channels becomes 0..255, rounded; constant
    images become 0."""
    low, high = float(image.min()), float(image.max())
    scale = 255.0 / ((high - low) or 1.0)
    return (np.clip((image.astype(np.float64) - low) * scale, 0, 255) + 0.5).astype(np.uint8)
