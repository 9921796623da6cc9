"""Frames of a training video: the pictures that a run wrote again and again for the same codes."""
from __future__ import annotations

import re
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
                        "them; "
                        f"they are written every --vis_interval iterations")
    return sorted(found)


def frame(iteration: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Both pictures, uint8 [H, W, 3], side by side under the number of the iteration."""
    height, width = max(before.shape[0], after.shape[0]), before.shape[1]
    canvas = Image.new("RGB", (width + GAP + after.shape[1], CAPTION + height), "white")
    canvas.paste(Image.fromarray(before), (0, CAPTION))
    canvas.paste(Image.fromarray(after), (width + GAP, CAPTION))
    ImageDraw.Draw(canvas).text((2, 1), f"iteration {iteration}: before and after", fill="black")
    return np.asarray(canvas)


def frames(folder) -> list[np.ndarray]:
    """All frames of a run, of one size.

    Raises:
        UserError: no pictures, or of several sizes (--vis_size was changed).
    """
    found = [frame(iteration, read_rgb(before), read_rgb(after)) for iteration, before,
             after in pairs(folder)]
    if len({picture.shape for picture in found}) > 1:
        raise UserError(f"{folder}: its pictures have several sizes; keep those of one --vis_size only")
    return found
