"""The augmentation sets of LIS: what imgaug 0.2.4 did, on whole batches.

A set applies its operations in a random order, one order per image, each with its probability. The
operations take uint8 [n, H, W, C] and one parameter (row) per image. Every image has its own generator, so
that what happens to it does not depend on its neighbours in the batch. The original draws everything from
one generator that is seeded alike in every run, which correlates its draws; ours are independent with the
same marginals.
"""
from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


# -- reading images between their pixels -----------------------------------------------------------------
# The semantics are those of skimage's `warp` in 2017, which imgaug used: separable cubic convolution (Keys
# 1981, a = -1/2) for order 3, bilinear for order 1; the result is clipped to each image's own range and
# truncated to bytes. Coordinates are float64 [n, H, W, 2], (x, y) in the source image, pixel centres at
# whole numbers. TensorFlow's ImageProjectiveTransform knows one projective map an image and reads bilinearly:
# it has no meshes and no cubic reading, and its float32 coordinates round some grey levels the other way. A
# test holds the shifts, which it could do, against it.
def affine_coordinates(matrices: np.ndarray, height: int, width: int) -> np.ndarray:
    """Source of every output pixel under affine maps of the plane.

    Args:
        matrices: float [n, 2, 3], they move source points about the image's middle, (int(w/2), int(h/2)).

    Returns:
        float64 [n, height, width, 2].
    """
    centre = np.array([width // 2, height // 2], np.float64)
    inverse = np.linalg.inv(matrices[:, :, :2])
    ys, xs = np.mgrid[:height, :width].astype(np.float64)
    points = np.stack([xs, ys], -1) - centre - matrices[:, None, None, :, 2]
    return np.einsum("nij,nhwj->nhwi", inverse, points) + centre


def mesh_coordinates(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Source of every output pixel under a piecewise affine map: a regular mesh over the image, each cell
    two triangles.

    Args:
        corners: float [n, rows, cols, 2], source (x, y) of the mesh points; the mesh spans [0, width] x [0,
            height].

    Returns:
        float64 [n, height, width, 2].
    """
    rows, cols = corners.shape[1] - 1, corners.shape[2] - 1
    ys, xs = np.mgrid[:height, :width].astype(np.float64)
    ys, xs = ys * rows / height, xs * cols / width
    i, j = ys.astype(int), xs.astype(int)
    v, u = (ys - i)[..., None], (xs - j)[..., None]
    here, right = corners[:, i, j], corners[:, i, j + 1]
    below, far = corners[:, i + 1, j], corners[:, i + 1, j + 1]
    upper = here + u * (right - here) + v * (below - here)
    lower = far + (1 - u) * (below - far) + (1 - v) * (right - far)
    return np.where(u + v <= 1, upper, lower)


def _mirrored(x: np.ndarray, size: int) -> np.ndarray:
    """Positions folded into [-1/2, size - 1/2]: beyond an edge the image goes on as its mirror, edge pixel
    included."""
    folded = np.mod(x + 0.5, 2 * size)
    return np.minimum(folded, 2 * size - folded) - 0.5


def _between_by_addons(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """`_between` by tensorflow_addons' `interpolate_bilinear`."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a note on its future each time it is imported
        import tensorflow_addons as tfa

    with tf.device("cpu:0"):  # the pipeline must not compete with the training step
        return tfa.image.interpolate_bilinear(images, points).numpy()


def _between(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bilinear values between pixels, the edge being held; float32, in the order of additions of
    tensorflow_addons.

    Args:
        images: float32 [n, h, w, c].
        points: float32 [n, m, 2], (y, x).

    Returns:
        float32 [n, m, c].
    """
    size = np.array(images.shape[1:3])
    low = np.clip(np.floor(points), 0, size - 2)
    part = np.clip(points - low, np.float32(0), np.float32(1)).astype(np.float32)
    y, x = np.moveaxis(low.astype(np.int64), 2, 0)
    row = np.arange(len(images))[:, None]
    corner = {(i, j): images[row, y + i, x + j] for i in (0, 1) for j in (0, 1)}
    top = part[..., 1:] * (corner[0, 1] - corner[0, 0]) + corner[0, 0]
    bottom = part[..., 1:] * (corner[1, 1] - corner[1, 0]) + corner[1, 0]
    return part[..., :1] * (bottom - top) + top


def interpolation() -> Callable:
    """The one that is there: tensorflow_addons' where it is installed, else ours."""
    return _between_by_addons if importlib.util.find_spec("tensorflow_addons") else _between


def _linear(images: np.ndarray, coordinates: np.ndarray, mirror: bool) -> np.ndarray:
    """Bilinear; the interpolation holds the edge, so a black frame makes the outside black."""
    n, h, w, _ = images.shape
    if mirror:
        x, y = _mirrored(coordinates[..., 0], w), _mirrored(coordinates[..., 1], h)
    else:
        images = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        x, y = coordinates[..., 0] + 1, coordinates[..., 1] + 1
    points = np.stack([y, x], -1).reshape(n, -1, 2).astype(np.float32)
    result = interpolation()(images.astype(np.float32), points)
    return result.reshape(*coordinates.shape[:3], images.shape[-1])


def _keys_weights(t: np.ndarray) -> np.ndarray:
    """Weights of the four neighbours at offsets -1, 0, 1, 2 for a position t in [0, 1) between the middle
    two: [4, ...]."""
    return 0.5 * np.stack([t * (t * (2 - t) - 1), t * t * (3 * t - 5) + 2, t * (t * (4 - 3 * t) + 1),
                           t * t * (t - 1)])


def _cubic(images: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Separable cubic convolution, mirrored at the edges."""
    n, h, w, c = images.shape
    base = np.floor(coordinates)
    x_weights, y_weights = (_keys_weights(coordinates[..., k] - base[..., k]) for k in (0, 1))
    xs, ys = ([np.rint(_mirrored(base[..., k] + tap, size)).astype(np.int64) for tap in (-1, 0, 1, 2)]
              for k, size in ((0, w), (1, h)))
    flat = images.reshape(-1, c).astype(np.float64)
    first = np.arange(n).reshape(-1, 1, 1) * (h * w)
    result = np.zeros((*coordinates.shape[:3], c))
    for y, y_weight in zip(ys, y_weights):
        start = first + y * w
        row = sum(weight[..., None] * np.take(flat, start + x, axis=0) for x, weight in zip(xs, x_weights))
        result += y_weight[..., None] * row
    return result


def sample(images: np.ndarray, coordinates: np.ndarray, order: int, mirror: bool) -> np.ndarray:
    """Images read at the given places.

    Args:
        images: uint8 [n, H, W, C].
        coordinates: float64 [n, H, W, 2].
        order: 1 or 3.
        mirror: what lies outside: the image's mirror, or (order 1 only) black.

    Returns:
        uint8 [n, H, W, C].
    """
    if order == 3 and not mirror:
        raise ValueError("order 3 is only there with mirrored edges")
    read = _cubic(images, coordinates) if order == 3 else _linear(images, coordinates, mirror)
    low = images.min(axis=(1, 2, 3),
                     keepdims=True) if mirror else 0  # what comes from outside is black and stays so
    return np.clip(read, low, images.max(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)


# -- the operations --------------------------------------------------------------------------------------

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


def affine_matrix(scale_x: float, scale_y: float, degrees: float, shift_x: int = 0,
                  shift_y: int = 0) -> np.ndarray:
    """Scale, then turn, then shift (in pixels), float64 [2, 3]."""
    angle = np.deg2rad(degrees)
    return np.array([[scale_x * np.cos(angle), -scale_y * np.sin(angle), shift_x],
                     [scale_x * np.sin(angle), scale_y * np.cos(angle), shift_y]])


def shift_pixels(fraction: float, size: int) -> int:
    """A shift of `fraction` of the side `size` in whole pixels; halves go to the even number, as in the
    recorded fixtures."""
    return round(float(fraction) * size)


def affine(images: np.ndarray, matrices, order: int, mirror: bool) -> np.ndarray:
    """Moves images by affine maps [n, 2, 3] about their middle; the identity leaves an image as it is."""
    coordinates = affine_coordinates(np.asarray(matrices), *images.shape[1:3])
    return sample(images, coordinates, order, mirror)


def piecewise_affine(images: np.ndarray, jitter) -> np.ndarray:
    """Moves the points of a regular mesh by `jitter`, float [n, rows, cols, 2] in pixels (x, y), and the
    image with them."""
    h, w = images.shape[1:3]
    rows, cols = np.shape(jitter)[1:3]
    regular = np.stack(np.meshgrid(np.linspace(0, w, cols), np.linspace(0, h, rows)), -1)
    return sample(images, mesh_coordinates(regular + jitter, h, w), order=1, mirror=True)


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
