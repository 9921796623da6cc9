"""Changes of an image's size and of the order of its numbers. Images are [n, h, w, c]."""
from __future__ import annotations

import math

import tensorflow as tf


@tf.custom_gradient
def nearest(x: tf.Tensor) -> tf.Tensor:
    """Twice the side: every pixel four times; its gradient is the sum of the four, which has derivatives of
    its own."""
    y = tf.raw_ops.ResizeNearestNeighbor(images=x, size=[2 * x.shape[1], 2 * x.shape[2]])
    return tf.ensure_shape(y, [x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]]), _sums


def _sums(x: tf.Tensor) -> tf.Tensor:
    return 4.0 * mean_pool(x)


def nearest_plainly(x: tf.Tensor) -> tf.Tensor:
    """The plain twin of `nearest`."""
    return tf.repeat(tf.repeat(x, 2, 1), 2, 2)


def bilinear(x: tf.Tensor) -> tf.Tensor:
    """Twice the side; pixel centres at half-integers, edges repeated."""
    _, h, w, _ = x.shape
    return tf.cast(tf.image.resize(x, [2 * h, 2 * w], "bilinear"), x.dtype)


def bilinear_aligned(x: tf.Tensor) -> tf.Tensor:
    """Twice the side; the corners' pixels stay at the corners (PyTorch of 2017)."""
    return tf.compat.v1.image.resize_bilinear(x, [2 * x.shape[1], 2 * x.shape[2]], align_corners=True)


def shuffle(x: tf.Tensor) -> tf.Tensor:
    """[n, h, w, 4c] -> [n, 2h, 2w, c]: channel (2*dy + dx)*c + i becomes channel i of the pixel at offset
    (dy, dx)."""
    return tf.nn.depth_to_space(x, 2)


def mean_pool(x: tf.Tensor) -> tf.Tensor:
    """Half the side: means of 2x2 pixels."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def maps(side: int | tuple = 4, channel_major: bool = True):
    """A function from [n, c*h*w] to [n, h, w, c].

    Args:
        side: of the result, or (height, width).
        channel_major: the numbers come as c, h, w (the originals in NCHW); else as h, w, c.
    """
    height, width = side if isinstance(side, tuple) else (side, side)

    def to_maps(x: tf.Tensor) -> tf.Tensor:
        if not channel_major:
            return tf.reshape(x, [-1, height, width, x.shape[-1] // (height * width)])
        return tf.transpose(tf.reshape(x, [-1, x.shape[-1] // (height * width), height, width]), [0, 2, 3, 1])

    return to_maps


def flatten(x: tf.Tensor) -> tf.Tensor:
    """[n, h, w, c] -> [n, h*w*c]."""
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])


def flatten_channel_major(x: tf.Tensor) -> tf.Tensor:
    """[n, h, w, c] -> [n, c*h*w], in the order of the originals in NCHW."""
    return flatten(tf.transpose(x, [0, 3, 1, 2]))


def with_maps(x: tf.Tensor, vector: tf.Tensor) -> tf.Tensor:
    """[n, h, w, c] and [n, k] -> [n, h, w, c + k]: the vector, the same at every pixel, after the
    channels."""
    wide = tf.broadcast_to(vector[:, None, None, :],
                           [tf.shape(x)[0], x.shape[1], x.shape[2], vector.shape[1]])
    return tf.concat([x, tf.cast(wide, x.dtype)], -1)


def logits(x: tf.Tensor) -> tf.Tensor:
    """[n, 1] -> [n]: what a last dense layer with one output gives."""
    return tf.reshape(x, [-1])
