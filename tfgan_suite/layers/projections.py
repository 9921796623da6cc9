"""Fixed random projections of images, and discriminators behind them.

B. Neyshabur, S. Bhojanapalli, A. Chakrabarti, "Stabilizing GAN Training with Multiple Random Projections",
arXiv 1705.07831.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole
from tfgan_suite.layers.linear import compute_dtype, convolve
from tfgan_suite.layers.network import Network

MOST_FILTERS = 4096  # each trains a discriminator of its own; the paper has 48
MOST_NUMBERS = 1 << 26


@dataclass(frozen=True)
class Filters:
    """Fixed projections of one shape.

    Attributes:
        values: float32 [K, k, k, 3, channels].
        stride: of the convolution, in pixels.
        numbers: each one's place among all filters of a run, from 0; by default in this order.
    """

    values: np.ndarray
    stride: int
    numbers: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "numbers", tuple(self.numbers) or tuple(range(len(self.values))))

    def __len__(self) -> int:
        return len(self.values)

    def part(self, first: int, last: int) -> Filters:
        """Those from `first` to before `last`."""
        return Filters(self.values[first:last], self.stride, self.numbers[first:last])

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros on each side of the image: (k - stride) // 2, vertical and horizontal."""
        return ((self.values.shape[1] - self.stride) // 2,) * 2

    @property
    def channels(self) -> int:
        """Of a projected image."""
        return self.values.shape[4]

    def project(self, images: tf.Tensor) -> tf.Tensor:
        """Images [n, H, W, 3] -> all projections [K, n, h, w, channels] in the images' type: one
        convolution."""
        count, k, _, _, channels = self.values.shape
        kernel = tf.cast(np.moveaxis(self.values, 0, 3).reshape(k, k, 3, count * channels), images.dtype)
        y = convolve(images, kernel, self.stride, self.padding)
        return tf.transpose(tf.reshape(y, [-1, *y.shape[1:3], count, channels]), [3, 0, 1, 2, 4])


def parse(spec: str) -> tuple[int, int, int, int]:
    """`K,S,F,N`: kernel side, stride, channels, number of filters.

    Raises:
        UserError: not four positive whole numbers, or a kernel smaller than its stride.
    """
    words = spec.split(",")
    if len(words) != 4 or not all(whole(w) for w in words):
        raise UserError(f"filters '{spec}': give K,S,F,N (kernel, stride, channels, count), such as 8,2,1,48")
    k, s, f, n = map(int, words)
    if k < s:
        raise UserError(f"filters '{spec}': the kernel ({k}) must not be smaller than the stride ({s})")
    if n > MOST_FILTERS or k * k * 3 * f * n > MOST_NUMBERS:
        raise UserError(f"filters '{spec}': are too many or too large; the most are {MOST_FILTERS} filters "
                        f"and {MOST_NUMBERS} numbers in all")
    return k, s, f, n


def draw(generator: np.random.RandomState, k: int, channels: int) -> np.ndarray:
    """One filter, float32 [k, k, 3, channels]: normal draws, divided per output channel by their L2 norm."""
    p = np.float32(generator.normal(size=(k, k, 3, channels)))
    return p / np.sqrt(np.sum(p * p, axis=(0, 1, 2), keepdims=True))


def draw_filters(spec: str, seed: int | None) -> Filters:
    """The filters that `K,S,F,N` describes.

    Raises:
        UserError: see `parse`.
    """
    k, s, f, n = parse(spec)
    generator = np.random.RandomState(seed)
    return Filters(np.stack([draw(generator, k, f) for _ in range(n)]), s)


class Projected(Network):
    """K discriminators of any architecture, each a network of its own behind a fixed projection of the image.

    `rpgan.bank` computes the paper's own discriminators faster.

    Args:
        filters: the projections, one group for each shape.
        make_d: (number of the discriminator, channels of its images) -> a network by the calling contract;
            its arrays' names hold the number.
    """

    def __init__(self, filters: Sequence[Filters], make_d: Callable[[int, int], Network]):
        super().__init__(dtype="float32", autocast=False)
        self.filters, self.compute = tuple(filters), compute_dtype()
        self.parts = [[make_d(i, group.channels) for i in group.numbers] for group in filters]

    def call(self, images, labels=None, training: bool = False, update: bool | None = None):
        """Images [n, H, W, 3] -> logits [K, n] float32, in the order of the filters' numbers."""
        found = {}
        for group, parts in zip(self.filters, self.parts):
            inputs = tf.unstack(group.project(tf.cast(images, self.compute)))
            for number, part, x in zip(group.numbers, parts, inputs):
                found[number] = part(x, labels, training=training, update=update)
        return tf.stack([found[number] for number in sorted(found)])

    def members(self) -> list[Callable]:
        """Each discriminator behind its own projection, by the calling contract: for penalties, which belong
        to one alone."""
        def member(group: Filters, place: int, part: Network):
            def call(images, labels=None, training: bool = False, update: bool | None = None):
                kernel = tf.cast(group.values[place], self.compute)
                x = convolve(tf.cast(images, self.compute), kernel, group.stride, group.padding)
                return part(x, labels, training=training, update=update)
            return call

        return [member(group, i, part) for group, parts in zip(self.filters, self.parts) for i,
                part in enumerate(parts)]
