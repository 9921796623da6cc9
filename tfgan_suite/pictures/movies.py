"""Animations, written frame by frame, so that a long one needs no more memory than a short one.

GIF always; MP4 where the package imageio-ffmpeg is installed, whose wheels carry the encoder.
"""
from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from tfgan_suite.errors import UserError
from tfgan_suite.pictures.saving import check_output

ENCODER = "imageio_ffmpeg"


def endings() -> tuple[str, ...]:
    """Endings of the files that can be written here, the best first."""
    return (".mp4", ".gif") if importlib.util.find_spec(ENCODER) else (".gif",)


def check(path) -> Path:
    """`path`, if an animation can be written there.

    Raises:
        UserError: another ending, no encoder for it, or a folder that cannot be written.
    """
    if Path(path).suffix.lower() == ".mp4" and ".mp4" not in endings():
        raise UserError(f"{path}: MP4 needs the package imageio-ffmpeg; install it (pip install "
                        f"imageio-ffmpeg), or "
                        f"give a name that ends in .gif")
    return check_output(path, endings())


def save(path, frames: Iterable[np.ndarray], milliseconds: int = 100) -> int:
    """Writes an animation (an endless one, as GIF) under a temporary name and renames it.

    Args:
        path: ends in .gif or .mp4.
        frames: uint8 [H, W, 3], all of one size, at least one; made as they are needed.
        milliseconds: of a frame.

    Returns:
        How many frames were written.

    Raises:
        UserError: it cannot be written; an older file of that name is intact.
    """
    path = check(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        count = (_write_mp4 if path.suffix.lower() == ".mp4" else _write_gif)(partial, frames, milliseconds)
        partial.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _write_gif(path: Path, frames: Iterable[np.ndarray], milliseconds: int) -> int:
    """Pillow's own writer for many frames holds them all; these are its parts for one."""
    count = 0
    with open(path, "wb") as file:
        for frame in frames:
            picture = Image.fromarray(frame).quantize(256)
            if not count:
                file.writelines(GifImagePlugin.getheader(picture, info={"loop": 0})[0])
            file.writelines(GifImagePlugin.getdata(picture, duration=milliseconds,
                                                   include_color_table=True))
            count += 1
        file.write(b";")
    return count


def _write_mp4(path: Path, frames: Iterable[np.ndarray], milliseconds: int) -> int:
    """H.264 in the colours that all players know, which want even sides: a black row or column is added."""
    import imageio_ffmpeg

    writer, count = None, 0
    for frame in frames:
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)))
        if writer is None:
            writer = imageio_ffmpeg.write_frames(str(path), frame.shape[1::-1], fps=1000.0 / milliseconds,
                                                 macro_block_size=1, codec="libx264")
            writer.send(None)
        writer.send(np.ascontiguousarray(frame))
        count += 1
    if writer is not None:
        writer.close()
    return count
