"""A text file that lists images, one path a line: the data of RP-GAN."""
from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import tensorflow as tf

from tfgan_suite.data import decode, rgb
from tfgan_suite.data.beside import Beside, problem, workers
from tfgan_suite.data.kept import KeptPictures, KeptRows
from tfgan_suite.data.lists import read_list
from tfgan_suite.data.pack import Pack, is_pack
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError
from tfgan_suite.files import memory
from tfgan_suite.pictures import bytes as byte_rules


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


@cache
def _cropper(count: int, side: int) -> Callable:
    """A graph that cuts a square out of `legacy_resize` of each of so many pictures."""
    whole = tf.TensorSpec([count, 2], tf.int32)

    @tf.function(input_signature=[[tf.TensorSpec([None, None, 3], tf.uint8)] * count, whole, whole],
                 autograph=False)
    def run(pictures, sizes, offsets):
        with tf.device("CPU:0"):
            found = []
            for i, picture in enumerate(pictures):
                resized = tf.raw_ops.ResizeBilinear(images=picture[None], size=sizes[i],
                                                    align_corners=False, half_pixel_centers=False)[0]
                found.append(tf.slice(resized, tf.concat([offsets[i], [0]], 0), [side, side, 3]))
            return tf.stack(found)

    return run


class Listed:
    """The files that a list names; a `Pack` has the same methods.

    Args:
        path: the list.

    Attributes:
        files: their paths; of a pack none.
    """

    def __init__(self, path):
        entries = read_list(path)
        self.files, self._list = [file for _, file in entries], str(path)
        self._lines = np.array([number for number, _ in entries], np.int64)

    def __len__(self):
        return len(self.files)

    def describe(self, index: int) -> str:
        """Names a file in messages."""
        return f"{self.files[index]} (line {self._lines[index]} of {self._list})"

    def read(self, index: int) -> bytes:
        """A file's bytes."""
        return decode.read_bytes(self.files[index], self.describe(index))

    def probe(self, index: int) -> tuple[int, int]:
        """See `decode.probe`."""
        return decode.probe(self.files[index], self.describe(index))

    def alpha(self, index: int) -> bool:
        """See `rgb.png_with_alpha`."""
        return rgb.png_with_alpha(self.files[index])

    def stale(self, numbers: Sequence[int]) -> list[str]:
        """Nothing: the files are read themselves."""
        return []


class ListFile(Source):
    """The images of a list file.

    The whole list is looked at beside the training: images are decoded and kept in memory as bytes as long as
    they fit, the others are looked at, and read again when needed. What is wrong with a list that takes less
    than seconds is told at once.

    Args:
        path: the list; blank lines are ignored, and paths are relative to the current folder. Or a packed
            file of it (see `pack`).
        imsz: side of the training images.
        crop: False: every image must be imsz x imsz. True: images of any size, resized so that the smaller
            side is imsz + 1; training cuts imsz x imsz out of it.
        budget: bytes that may be kept (default: half of the free memory).
        background: what is seen through transparent parts; None: the colours that are stored under them, as
            in the original.

    Raises:
        UserError: a missing, empty, broken or (without crop) wrong-sized file, with its line number; here, or
            when a batch is asked for.
    """

    def __init__(self, path, imsz: int, crop: bool, budget: int | None = None,
                 background: tuple | None = None):
        self.name, self.imsz, self.crop, self.background = str(path), imsz, crop, background
        self._files = Pack(path) if is_pack(path) else Listed(path)
        self.paths, count = self._files.files, len(self._files)
        self._sizes = np.zeros((count, 2), np.int64)  # of the decoded images; 0: not known yet
        self._alpha = 0
        budget = memory.budget() if budget is None else budget
        self.kept = KeptPictures(budget) if crop else KeptRows(count, (imsz, imsz, 3), budget)
        self._beside = Beside(self.name, count, self._look, done=self._remark)

    def __len__(self):
        return len(self._files)

    def describe(self, index):
        return self._files.describe(index)

    # -- the look at the whole list --------------------------------------------------------------------------
    def _remark(self) -> None:
        if self.background is None:
            rgb.remark_on_alpha(self._alpha, self.name)

    def _look(self, numbers: Sequence[int]) -> list[str]:
        """Decodes those that are kept, looks at the others; what is wrong with them."""
        self._alpha += sum(in_parallel(self._files.alpha, numbers, "", workers()))
        size = 16 if self.crop else 64  # few at a time: pictures to crop may be large
        found = self._files.stale(numbers)
        for start in range(0, len(numbers), size):
            part = [i for i in numbers[start:start + size] if self.kept.fits(i)]
            try:
                self._read(part)
            except UserError:
                found += [problem(self._read, [i]) for i in part]
            others = [i for i in numbers[start:start + size] if i not in set(part)]
            found += in_parallel(lambda i: problem(self._probe, i), others, "", workers())
        return [text for text in found if text]

    def _probe(self, index: int) -> None:
        size = self._files.probe(index)
        self._check_size(index, size)
        self._sizes[index] = size

    def _check_size(self, index: int, size: tuple[int, int]) -> None:
        if self.crop and max(size) * (self.imsz + 1) ** 2 > min(size) * rgb.MOST_PIXELS:
            raise UserError(f"{self.describe(index)}: is {size[1]}x{size[0]}, too long and thin for images "
                            f"of {self.imsz}; take it off the list")
        if not self.crop and tuple(size) != (self.imsz, self.imsz):
            raise UserError(f"{self.describe(index)}: is {size[1]}x{size[0]}, not {self.imsz}x{self.imsz}; "
                            f"use images of that size, or set crop=True")

    # -- images as they are ----------------------------------------------------------------------------------
    def _read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Images as they are in their files, from memory or read now, and kept where they may be."""
        missing = [i for i in dict.fromkeys(numbers) if i not in self.kept]
        covered = [i for i in missing if self.background is not None and self._files.alpha(i)]
        fresh = dict(zip(covered, in_parallel(self._cover, covered, "")))
        plain = [i for i in missing if i not in fresh]
        files = in_parallel(self._files.read, plain, "")
        fresh.update(zip(plain, decode.several(files, [self.describe(i) for i in plain])))
        for i, picture in fresh.items():
            self._check_size(i, picture.shape[:2])
            self._sizes[i] = picture.shape[:2]
            self.kept.add(i, picture)
        return [fresh[i] if i in fresh else self.kept[i] for i in numbers]

    def _cover(self, index: int) -> np.ndarray:
        file = io.BytesIO(self._files.read(index))
        return rgb.read_rgb(file, self.describe(index), background=self.background)

    def decoded(self, index: int) -> np.ndarray:
        """Image `index` as it is in its file, uint8 [H, W, 3]."""
        return self._read([int(index)])[0]

    def _size(self, index: int) -> tuple[int, int]:
        """(height, width) of what crops are cut from."""
        if not self._sizes[index, 0]:
            self._probe(index)
        height, width = map(int, self._sizes[index])
        return new_size(self.imsz, height, width) if self.crop else (height, width)

    @property
    def sizes(self) -> np.ndarray:
        """(height, width) of all images that crops are cut from, int64 [n, 2]; looks at those that have not
        been looked at."""
        return self._sizes_of(range(len(self)))

    def _sizes_of(self, indices) -> np.ndarray:
        return np.array([self._size(int(i)) for i in indices], np.int64).reshape(-1, 2)

    # -- what training sees ----------------------------------------------------------------------------------
    def resized(self, index: int) -> np.ndarray:
        """What crops are cut from: float32 [h, w, 3] in [0, 255] with crop, else the uint8 [imsz, imsz, 3]
        image."""
        picture = self.decoded(index)
        return legacy_resize(picture, self._size(int(index))) if self.crop else picture

    def image(self, index):
        """Image `index` as uint8 [imsz, imsz, 3]; with crop the middle of the resized image, rounded."""
        return self.images([index])[0]

    def images(self, indices):
        self._beside.check()
        indices = [int(i) for i in indices]
        if not self.crop:
            return np.stack(self._read(indices))
        middles = (self._sizes_of(indices) - self.imsz) // 2
        return np.rint(self._crops(indices, middles)).astype(np.uint8)

    def draw_offsets(self, indices, generator: np.random.Generator) -> np.ndarray:
        """Random crop offsets (row, column), int64 [n, 2], each uniform in [0, side - imsz]."""
        return generator.integers(0, self._sizes_of(indices) - self.imsz + 1)

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
            return byte_rules.to_float(self.images(indices))
        self._beside.check()
        batch = self._crops([int(i) for i in indices], np.asarray(offsets)[:, :2])
        batch *= np.float32(2.0 / 255.0)
        batch -= np.float32(1.0)
        return batch

    def _crops(self, indices: Sequence[int], offsets: np.ndarray) -> np.ndarray:
        """float32 [n, imsz, imsz, 3] in [0, 255], cut out of the resized images at [n, 2] (row, column)."""
        pictures = self._read(indices)
        sizes, side = self._sizes_of(indices), self.imsz
        batch = np.empty((len(indices), side, side, 3), np.float32)
        changed = [i for i, picture in enumerate(pictures) if picture.shape[:2] != tuple(sizes[i])]
        for i in set(range(len(indices))) - set(changed):
            row, column = offsets[i]
            batch[i] = pictures[i][row:row + side, column:column + side]
        for part in decode.in_blocks(len(changed)):
            chosen = changed[part]
            batch[chosen] = _cropper(len(chosen), side)(
                [tf.constant(pictures[i]) for i in chosen], tf.constant(sizes[chosen], tf.int32),
                tf.constant(offsets[chosen], tf.int32)).numpy()
        return batch
