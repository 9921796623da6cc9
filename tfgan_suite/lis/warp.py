"""Moving the pixels of a batch: where each output pixel comes from, and reading images between their pixels.

The semantics are those of skimage's `warp` in 2017, which imgaug used: separable cubic convolution (Keys 1981, a = -1/2) for
order 3, bilinear for order 1; the result is clipped to each image's own range and truncated to bytes.
Coordinates are float64 [n, H, W, 2], (x, y) in the source image, pixel centres at whole numbers.
"""
from __future__ import annotations

import warnings

import numpy as np


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
    """Source of every output pixel under a piecewise affine map: a regular mesh over the image, each cell two triangles.

    Args:
        corners: float [n, rows, cols, 2], source (x, y) of the mesh points; the mesh spans [0, width] x [0, height].

    Returns:
        float64 [n, height, width, 2].
    """
    rows, cols = corners.shape[1] - 1, corners.shape[2] - 1
    ys, xs = np.mgrid[:height, :width].astype(np.float64)
    ys, xs = ys * rows / height, xs * cols / width
    i, j = ys.astype(int), xs.astype(int)
    v, u = (ys - i)[..., None], (xs - j)[..., None]
    here, right, below, far = corners[:, i, j], corners[:, i, j + 1], corners[:, i + 1, j], corners[:, i + 1, j + 1]
    upper = here + u * (right - here) + v * (below - here)
    lower = far + (1 - u) * (below - far) + (1 - v) * (right - far)
    return np.where(u + v <= 1, upper, lower)


def _mirrored(x: np.ndarray, size: int) -> np.ndarray:
    """Positions folded into [-1/2, size - 1/2]: beyond an edge the image goes on as its mirror, edge pixel included."""
    folded = np.mod(x + 0.5, 2 * size)
    return np.minimum(folded, 2 * size - folded) - 0.5


def _linear(images: np.ndarray, coordinates: np.ndarray, mirror: bool) -> np.ndarray:
    """Bilinear; addons' interpolation holds the edge, so a black frame makes the outside black."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a note on its future each time it is imported
        import tensorflow_addons as tfa

    n, h, w, _ = images.shape
    if mirror:
        x, y = _mirrored(coordinates[..., 0], w), _mirrored(coordinates[..., 1], h)
    else:
        images = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        x, y = coordinates[..., 0] + 1, coordinates[..., 1] + 1
    points = np.stack([y, x], -1).reshape(n, -1, 2).astype(np.float32)
    with tf.device("cpu:0"):  # the pipeline must not compete with the training step
        result = tfa.image.interpolate_bilinear(images.astype(np.float32), points)
    return result.numpy().reshape(*coordinates.shape[:3], images.shape[-1])


def _keys_weights(t: np.ndarray) -> np.ndarray:
    """Weights of the four neighbours at offsets -1, 0, 1, 2 for a position t in [0, 1) between the middle two: [4, ...]."""
    return 0.5 * np.stack([t * (t * (2 - t) - 1), t * t * (3 * t - 5) + 2, t * (t * (4 - 3 * t) + 1), t * t * (t - 1)])


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
    low = images.min(axis=(1, 2, 3), keepdims=True) if mirror else 0  # what comes from outside is black and stays so
    return np.clip(read, low, images.max(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)
