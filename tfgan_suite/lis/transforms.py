"""The originals' geometry of an image before training: crop, scale, crop, flip, in the semantics of torchvision in 2017.

Images are uint8 [H, W, 3]. All resizing is Pillow's bilinear filter, which averages when it shrinks.
"""
from __future__ import annotations

import numpy as np
from PIL import Image

from tfgan_suite.data.prepare import resize, scale_smaller_side
from tfgan_suite.data.rgb import check_pixels
from tfgan_suite.errors import UserError


def round_away(x: float) -> int:
    """Python 2's `round`: halves go away from zero."""
    return int(np.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)


def centre_crop(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle [height, width] of an image; where the image is smaller, black fills up."""
    h, w = image.shape[:2]
    if (h, w) == (height, width):
        return image
    left, top = round_away((w - width) / 2), round_away((h - height) / 2)
    return np.asarray(Image.fromarray(image).crop((left, top, left + width, top + height)))


def prepare(image: np.ndarray, height: int, width: int, crop: tuple[int, int] | None = None) -> np.ndarray:
    """[Centre crop] -> scale -> centre crop.

    A square target scales the shorter side and crops the middle. The original means to do the same for any target but passes
    the width as the interpolation mode; as its ancestor's README says, we resize to exactly [height, width] there.

    Args:
        image: uint8 [H, W, 3].
        height, width: of the result.
        crop: (height, width) of the first crop, or None.
    """
    if crop:
        image = centre_crop(image, *crop)
    if height != width:
        return resize(image, height, width)
    return centre_crop(scale_smaller_side(image, height), height, width)


def check_crop(image: np.ndarray, crop: tuple[int, int] | None) -> None:
    """Holds an image against the crop.

    Raises:
        UserError: the crop is larger than the image (the original would fill up with black).
    """
    h, w = image.shape[:2]
    if crop and (crop[0] > h or crop[1] > w):
        raise UserError(f"the image of {w}x{h} is smaller than the crop of {crop[1]}x{crop[0]}; "
                        f"lower --crop_size (or --crop_width and --crop_height)")


def to_float(images: np.ndarray) -> np.ndarray:
    """Bytes -> float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255.0)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """Black borders that make the image square; the odd pixel goes to the top or the left."""
    h, w = image.shape[:2]
    check_pixels(max(h, w), max(h, w))
    top, left = (max(h, w) - h + 1) // 2, (max(h, w) - w + 1) // 2
    return np.pad(image, ((top, max(h, w) - h - top), (left, max(h, w) - w - left), (0, 0)))
