"""Animations, written frame by frame, so that a long one needs no more memory than a short one.

GIF always; MP4 where the package imageio-ffmpeg or PyAV is installed, whose wheels carry the encoder.
"""
from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from tfgan_suite.errors import UserError
from tfgan_suite.pictures.saving import check_output

ENCODERS = ("imageio_ffmpeg", "av")  # the packages that can write MP4, the one that is preferred first


def encoder() -> str | None:
    """The package that writes MP4 here, if there is one."""
    return next((name for name in ENCODERS if importlib.util.find_spec(name)), None)


def endings() -> tuple[str, ...]:
    """Endings of the files that can be written here, the best first."""
    return (".mp4", ".gif") if encoder() else (".gif",)


def check(path) -> Path:
    """`path`, if an animation can be written there.

    Raises:
        UserError: another ending, no encoder for it, or a folder that cannot be written.
    """
    if Path(path).suffix.lower() == ".mp4" and ".mp4" not in endings():
        raise UserError(f"{path}: MP4 needs the package imageio-ffmpeg or av; install one (pip install "
                        f"imageio-ffmpeg), or give a name that ends in .gif")
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
    mp4 = _by_pyav if encoder() == "av" else _by_ffmpeg
    try:
        if path.suffix.lower() == ".mp4":
            count = mp4(partial, _even(frames), milliseconds)
        else:
            count = _write_gif(partial, frames, milliseconds)
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


def _even(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """H.264 in the colours that all players know wants even sides: a black row or column is added."""
    for frame in frames:
        yield np.ascontiguousarray(np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))))


def _by_ffmpeg(path: Path, frames: Iterable[np.ndarray], milliseconds: int) -> int:
    """H.264 by imageio-ffmpeg."""
    import imageio_ffmpeg

    writer, count = None, 0
    for frame in frames:
        if writer is None:
            writer = imageio_ffmpeg.write_frames(str(path), frame.shape[1::-1], fps=1000.0 / milliseconds,
                                                 macro_block_size=1, codec="libx264")
            writer.send(None)
        writer.send(frame)
        count += 1
    if writer is not None:
        writer.close()
    return count


def _by_pyav(path: Path, frames: Iterable[np.ndarray], milliseconds: int) -> int:
    """H.264 by PyAV, whose errors of files are `OSError`s."""
    import av

    count = 0
    with av.open(str(path), "w", format="mp4") as container:
        for frame in frames:
            if not count:
                stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds))
                stream.height, stream.width, stream.pix_fmt = *frame.shape[:2], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            count += 1
        if count:
            container.mux(stream.encode())  # what the encoder still holds
    return count
