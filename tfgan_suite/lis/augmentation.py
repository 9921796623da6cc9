"""The augmentation sets of LIS: what imgaug 0.2.4 did, on whole batches.

A set applies its operations in a random order, one order per image, each with its probability. The operations take uint8
[n, H, W, C] and one parameter (row) per image. Every image has its own generator, so that what happens to it does not
depend on its neighbours in the batch. The original draws everything from one generator that is seeded alike in every run, which
correlates its draws; ours are independent with the same marginals.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfgan_suite.lis import warp


def _bytes(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 255).astype(np.uint8)


def _per_image(values) -> np.ndarray:
    return np.asarray(values, np.float64).reshape(-1, 1, 1, 1)


def multiply(images: np.ndarray, factors) -> np.ndarray:
    """x * m."""
    return _bytes(images * _per_image(factors))


def contrast(images: np.ndarray, alphas) -> np.ndarray:
    """a * (x - 128) + 128."""
    return _bytes(_per_image(alphas) * (images - 128.0) + 128.0)


def add(images: np.ndarray, fields) -> np.ndarray:
    """x + noise; fields: float [n, H, W, 1], one value for all channels of a pixel."""
    return _bytes(images + np.asarray(fields))


def drop(images: np.ndarray, kept) -> np.ndarray:
    """Black pixels where `kept`, bool [n, H, W, 1], is False."""
    return images * np.asarray(kept, np.uint8)


def flip_vertically(images: np.ndarray, _) -> np.ndarray:
    """Upside down."""
    return images[:, ::-1]


def affine_matrix(scale_x: float, scale_y: float, degrees: float, shift_x: int = 0, shift_y: int = 0) -> np.ndarray:
    """Scale, then turn, then shift (in pixels), float64 [2, 3]."""
    angle = np.deg2rad(degrees)
    return np.array([[scale_x * np.cos(angle), -scale_y * np.sin(angle), shift_x],
                     [scale_x * np.sin(angle), scale_y * np.cos(angle), shift_y]])


def shift_pixels(fraction: float, size: int) -> int:
    """A shift of `fraction` of the side `size` in whole pixels; halves go to the even number, as in the recorded fixtures."""
    return round(float(fraction) * size)


def affine(images: np.ndarray, matrices, order: int, mirror: bool) -> np.ndarray:
    """Moves images by affine maps [n, 2, 3] about their middle; the identity leaves an image as it is."""
    coordinates = warp.affine_coordinates(np.asarray(matrices), *images.shape[1:3])
    return warp.sample(images, coordinates, order, mirror)


def piecewise_affine(images: np.ndarray, jitter) -> np.ndarray:
    """Moves the points of a regular mesh by `jitter`, float [n, rows, cols, 2] in pixels (x, y), and the image with them."""
    h, w = images.shape[1:3]
    rows, cols = np.shape(jitter)[1:3]
    regular = np.stack(np.meshgrid(np.linspace(0, w, cols), np.linspace(0, h, rows)), -1)
    return warp.sample(images, warp.mesh_coordinates(regular + jitter, h, w), order=1, mirror=True)


@dataclass(frozen=True)
class Operation:
    """One child of a set.

    Attributes:
        draw: (generator, height, width) -> this operation's parameter for one image.
        apply: (images, parameters) -> images.
        probability: how often it is applied.
    """

    draw: Callable[[np.random.Generator, int, int], np.ndarray]
    apply: Callable[[np.ndarray, np.ndarray], np.ndarray]
    probability: float = 0.5


def _uniform(low: float, high: float):
    return lambda draw, h, w: draw.uniform(low, high)


def _noise_field(largest_sigma: float):
    return lambda draw, h, w: draw.normal(0.0, draw.uniform(0.0, largest_sigma), (h, w, 1))


def _affine_draw(degrees: float, shift: float = 0.0):
    """Scales of 0.9 to 1.1 on each axis, turns and shifts (fractions of the image, rounded to pixels)."""
    def draw_matrix(draw, h, w):
        scale_x, scale_y = draw.uniform(0.9, 1.1, 2)
        shift_x, shift_y = draw.uniform(-shift, shift, 2)
        return affine_matrix(scale_x, scale_y, draw.uniform(-degrees, degrees), shift_pixels(shift_x, w),
                             shift_pixels(shift_y, h))
    return draw_matrix


def _mesh_draw(draw, h, w):
    return draw.normal(0.0, draw.uniform(0.0, 0.09), (4, 4, 2)) * (w, h)


def _kept_draw(draw, h, w):
    return draw.random((h, w, 1)) >= draw.uniform(0.0, 0.1)


NOISE = Operation(_noise_field(8.925), add)
MULTIPLY = Operation(_uniform(0.9, 1.1), multiply)
CONTRAST = Operation(_uniform(0.9, 1.1), contrast)
TURN = Operation(_affine_draw(degrees=15.0), lambda x, m: affine(x, m, order=3, mirror=True))
SHIFT = Operation(_affine_draw(degrees=1.0, shift=0.1), lambda x, m: affine(x, m, order=1, mirror=False))

SETS: dict[str, tuple[Operation, ...]] = {
    "none": (),
    "flowers102": (NOISE, MULTIPLY, CONTRAST, TURN),
    "cifar10": (NOISE, MULTIPLY, CONTRAST),
    "10kcats": (MULTIPLY, CONTRAST, TURN),
    "lsun_churches": (NOISE, MULTIPLY, CONTRAST, SHIFT),
}
# How the inception-score script damages images to see how the score reacts.
INCEPTION_SETS: dict[str, tuple[Operation, ...]] = {
    "none": (),
    "dropout": (Operation(_kept_draw, drop, 1.0),),
    "gaussian-noise": (Operation(_noise_field(30.0), add, 1.0),),
    "piecewise-affine": (Operation(_mesh_draw, piecewise_affine, 1.0),),
    "vertical-flips": (Operation(lambda draw, h, w: np.zeros(0), flip_vertically, 1.0),),
}


def augment(images: np.ndarray, operations: tuple[Operation, ...], generators) -> np.ndarray:
    """One random version of each image.

    Args:
        images: uint8 [n, H, W, C].
        operations: a value of `SETS` or `INCEPTION_SETS`.
        generators: n NumPy generators, one per image.

    Returns:
        uint8 [n, H, W, C].
    """
    images = images.copy()
    n, h, w, _ = images.shape
    orders = np.empty((n, len(operations)), int)
    parameters: list[list] = []
    for i, draw in enumerate(generators):
        orders[i] = draw.permutation(len(operations))
        chosen = [draw.random() < op.probability for op in operations]
        parameters.append([op.draw(draw, h, w) if yes else None for op, yes in zip(operations, chosen)])
    for place in range(len(operations)):
        for k, operation in enumerate(operations):
            rows = [i for i in range(n) if orders[i, place] == k and parameters[i][k] is not None]
            if rows:
                images[rows] = operation.apply(images[rows], np.stack([parameters[i][k] for i in rows]))
    return images
