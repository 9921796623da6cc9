"""A text file that lists images, one path a line: the data of RP-GAN."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.data import decode, rgb
from tfgan_suite.data.lists import read_list
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError
from tfgan_suite.files import memory
from tfgan_suite.pictures import bytes


def new_size(imsz: int, height: int, width: int) -> tuple[int, int]:
    """(height, width) after the original's resize: the smaller side becomes imsz + 1, in its float32
    arithmetic, truncated."""
    scale = np.float32(imsz + 1) / np.float32(min(height, width))
    sides = (scale * np.array([height, width], np.float32)).astype(np.int32)
    return int(sides[0]), int(sides[1])


def legacy_resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """TensorFlow 0.9's bilinear resize: source = index * in / out, no half-pixel centres, no antialiasing, no
    rounding.

    Args:
        image: [H, W, C].

    Returns:
        float32 [*size, C], range of the input.
    """
    batch = tf.cast(image, tf.float32)[None]
    return tf.raw_ops.ResizeBilinear(images=batch, size=size, align_corners=False,
                                     half_pixel_centers=False)[0].numpy()


class ListFile(Source):
    """The images of a list file.

    The whole list is checked at the start. Images are decoded once and kept in memory (with `crop`: resized,
    as float32) if they fit; otherwise they are read again when needed.

    Args:
        path: the list; blank lines are ignored, and paths are relative to the current folder.
        imsz: side of the training images.
        crop: False: every image must be imsz x imsz. True: images of any size, resized so that the smaller
            side is imsz + 1; training cuts imsz x imsz out of it.
        budget: bytes that the cache may take (default: half of the free memory).
        background: what is seen through transparent parts; None: the colours that are stored under them, as
            in the original.

    Raises:
        UserError: a missing, empty, broken or (without crop) wrong-sized file, with its line number.
    """

    def __init__(self, path, imsz: int, crop: bool, budget: int | None = None,
                 background: tuple | None = None):
        self.name, self.imsz, self.crop, self.background = str(path), imsz, crop, background
        entries = read_list(path)
        self.paths = [file for _, file in entries]
        self._where = [f"{file} (line {number} of {path})" for number, file in entries]
        decoded = in_parallel(self._probe, range(len(entries)), "checking images")
        if background is None:
            rgb.remark_on_alpha(sum(map(rgb.png_with_alpha, self.paths)), path)
        sizes = [new_size(imsz, *size) for size in decoded] if crop else decoded
        self.sizes = np.array(sizes, np.int64)
        self.nbytes = int(np.prod(self.sizes, axis=1).sum()) * 3 * (4 if crop else 1)
        self._cache = None
        if self.nbytes <= (memory.budget() if budget is None else budget):
            self._cache = in_parallel(self._load, range(len(entries)), "reading images")

    def __len__(self):
        return len(self.paths)

    def _probe(self, index: int) -> tuple[int, int]:
        size = decode.probe(self.paths[index], self._where[index])
        self._check_size(index, size)
        return size

    def _check_size(self, index: int, size: tuple[int, int]) -> None:
        if self.crop and max(size) * (self.imsz + 1) ** 2 > min(size) * rgb.MOST_PIXELS:
            raise UserError(f"{self._where[index]}: is {size[1]}x{size[0]}, too long and thin for images of "
                            f"{self.imsz}; "
                            f"take it off the list")
        if not self.crop and tuple(size) != (self.imsz, self.imsz):
            raise UserError(f"{self._where[index]}: is {size[1]}x{size[0]}, not {self.imsz}x{self.imsz}; "
                            f"use images of that size, or set crop=True")

    def _load(self, index: int) -> np.ndarray:
        image = self.decoded(index)
        self._check_size(index, image.shape[:2])
        return legacy_resize(image, new_size(self.imsz, *image.shape[:2])) if self.crop else image

    def describe(self, index):
        return self._where[index]

    def decoded(self, index: int) -> np.ndarray:
        """Image `index` as it is in its file, uint8 [H, W, 3]."""
        if self.background is not None and rgb.png_with_alpha(self.paths[index]):
            return rgb.read_rgb(self.paths[index], self._where[index], background=self.background)
        return decode.read(self.paths[index], self._where[index])

    def resized(self, index: int) -> np.ndarray:
        """What crops are cut from: float32 [h, w, 3] in [0, 255] with crop, else the uint8 [imsz, imsz, 3]
        image."""
        return self._cache[index] if self._cache is not None else self._load(index)

    def image(self, index):
        """Image `index` as uint8 [imsz, imsz, 3]; with crop the middle of the resized image, rounded."""
        return self._middle(self.resized(index))

    def _middle(self, picture: np.ndarray) -> np.ndarray:
        if not self.crop:
            return picture
        top, left = (np.array(picture.shape[:2]) - self.imsz) // 2
        return np.rint(picture[top:top + self.imsz, left:left + self.imsz]).astype(np.uint8)

    def draw_offsets(self, indices, generator: np.random.Generator) -> np.ndarray:
        """Random crop offsets (row, column), int64 [n, 2], each uniform in [0, side - imsz]."""
        return generator.integers(0, self.sizes[np.asarray(indices)] - self.imsz + 1)

    def crop_batch(self, indices, offsets=None) -> np.ndarray:
        """A training batch.

        Args:
            indices: [n] places in the list.
            offsets: [n, 2] (row, column) of each crop in the resized image; not used (may be None) without
                crop.

        Returns:
            float32 [n, imsz, imsz, 3] in [-1, 1].
        """
        if not self.crop:
            return bytes.to_float(self.images(indices))
        batch = np.empty((len(indices), self.imsz, self.imsz, 3), np.float32)
        for slot, (picture, (row, column)) in enumerate(zip(self._several(indices),
                                                            np.asarray(offsets)[:, :2])):
            batch[slot] = picture[row:row + self.imsz, column:column + self.imsz]
        batch *= np.float32(2.0 / 255.0)
        batch -= np.float32(1.0)
        return batch

    def _several(self, indices) -> list[np.ndarray]:
        """`resized` of each, read on several threads where they must be read."""
        if self._cache is not None:
            return [self._cache[int(i)] for i in indices]
        return in_parallel(lambda i: self._load(int(i)), indices, "")

    def images(self, indices):
        return np.stack([self._middle(picture) for picture in self._several(indices)])
