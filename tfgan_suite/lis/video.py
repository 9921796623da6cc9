"""Frames of a training video: the pictures that a run wrote again and again for the same codes."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tfgan_suite.data.folder import read_rgb
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole

GAP, CAPTION = 8, 14  # pixels between the halves, and above them


def _last_stage(folder: Path, iteration: int) -> Path | None:
    """The picture after the last module or round, `samples_rK/sample_N_r.jpg`, or after R,
    `samples_r/sample_N_r.jpg`."""
    single = folder / "samples_r" / f"sample_{iteration}_r.jpg"
    if single.is_file():
        return single
    stages = [p for p in folder.glob(f"samples_r*/sample_{iteration}_r.jpg")
              if whole(p.parent.name[len("samples_r"):]) is not None]
    return max(stages, key=lambda p: int(p.parent.name[len("samples_r"):]), default=None)


def pairs(folder) -> list[tuple[int, Path, Path]]:
    """(iteration, picture before, picture after) of all iterations that have both, ascending.

    Args:
        folder: where a run's pictures are (--save_path, or the log folder).

    Raises:
        UserError: there are none.
    """
    folder, found = Path(folder), []
    for before in folder.glob("samples/sample_*.jpg"):
        match = re.fullmatch(r"sample_(\d+)", before.stem)
        after = _last_stage(folder, int(match[1])) if match else None
        if after:
            found.append((int(match[1]), before, after))
    if not found:
        raise UserError(f"{folder}: holds no samples/sample_N.jpg with pictures of the last module beside "
                        "them; they are written every --vis_interval iterations")
    return sorted(found)


def frame(iteration: int, *pictures: np.ndarray) -> np.ndarray:
    """One picture, or the two before and after, uint8 [H, W, 3], under the number of the iteration."""
    width = sum(picture.shape[1] for picture in pictures) + GAP * (len(pictures) - 1)
    canvas = Image.new("RGB", (width, CAPTION + max(picture.shape[0] for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        canvas.paste(Image.fromarray(picture), (left, CAPTION))
        left += picture.shape[1] + GAP
    what = ": before and after" if len(pictures) > 1 else ""
    ImageDraw.Draw(canvas).text((2, 1), f"iteration {iteration}{what}", fill="black")
    return np.asarray(canvas)


def frames(folder, every: int = 1, both: bool = True) -> Iterator[np.ndarray]:
    """Frames of a run, of one size, made one by one.

    Args:
        every: only every n-th picture, and the last.
        both: the picture before beside that after; else only the one after.

    Raises:
        UserError: no pictures, or of several sizes (--vis_size was changed).
    """
    found, shape = pairs(folder), None
    chosen = [pair for i, pair in enumerate(found) if i % every == 0 or i == len(found) - 1]
    for iteration, *files in chosen:
        made = frame(iteration, *(read_rgb(file) for file in (files if both else files[1:])))
        if shape not in (None, made.shape):
            raise UserError(f"{folder}: its pictures have several sizes; keep those of one --vis_size only")
        shape = made.shape
        yield made
