"""Picture files to uint8 RGB: every mode that Pillow opens comes out right, or is refused by name."""
from __future__ import annotations

import os
import sys
import warnings

import numpy as np
from PIL import Image, ImageColor, ImageOps

from tfgan_suite.errors import UserError, naming, reading
from tfgan_suite.files.archive import open_regular

MOST_PIXELS = 1 << 26  # of one picture: 8192 x 8192
WHITE = (255, 255, 255)
ALPHA_HEAD = 1 << 14  # bytes of a PNG file in which transparent colours are told
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_SIXTEEN_BITS = ("PPM", "PNG")  # what these keep in 32-bit integers has 16 bits
_PROGRAMS = ("EPS", "WMF")  # another program would have to be started to draw them
_HEADS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"P1", b"P2", b"P3", b"P4",
          b"P5", b"P6",
          b"\0\0\0\x0cjP", b"qoif")


def no_colour(text: str) -> str:
    """What is wrong with the name of a colour, or ''."""
    try:
        ImageColor.getrgb(text)
    except ValueError:
        return "is no colour; give one such as white, black or #808080"
    return ""


def colour(text: str) -> tuple[int, int, int]:
    """A colour by its name or as '#rrggbb', for the option `background`.

    Raises:
        UserError: it is none.
    """
    if no_colour(text):
        raise UserError(f"--background={text}: {no_colour(text)}")
    return ImageColor.getrgb(text)[:3]


def looks_like_a_picture(path) -> bool:
    """Whether a file begins as a picture does, whatever its name."""
    try:
        with open_regular(path) as file:
            head = file.read(16)
    except OSError:
        return False
    return head.startswith(_HEADS) or (head[:4] == b"RIFF"
                                       and head[8:12] == b"WEBP") or head[4:12] == b"ftypavif"


def png_with_alpha(path) -> bool:
    """Whether a file is a PNG with an alpha channel or transparent colours, as its head says."""
    try:
        with open_regular(path) as file:
            return alpha_in_head(file.read(ALPHA_HEAD))
    except (OSError, ValueError):
        return False


def alpha_in_head(head: bytes) -> bool:
    """As `png_with_alpha`, from the first `ALPHA_HEAD` bytes of a file."""
    return head.startswith(_HEADS[0]) and len(head) > 25 and (head[25] in (4, 6)
                                                              or b"tRNS" in head.split(b"IDAT", 1)[0])


def remark_on_alpha(count: int, name) -> None:
    """A line on stderr about transparent pictures that are read in the original's way."""
    if count:
        print(f"{name}: {count} pictures have transparent parts; the colours stored under them show, as in "
              "the original (--background=white covers them, and so do copies made with 'tools/datasets.py "
              "list FOLDER --size=N')",
              file=sys.stderr)


def check_pixels(width: int, height: int) -> None:
    """Raises:
        UserError: more pixels than a picture of a data set has.
    """
    if width * height > MOST_PIXELS:
        raise UserError(f"is {width}x{height}, too large: at most {MOST_PIXELS // 10**6} million pixels are "
                        "read; make it smaller or move it away")


def has_alpha(picture: Image.Image) -> bool:
    """Whether a picture may have transparent parts: a channel, entries of its palette, or one colour."""
    return picture.mode in _WITH_ALPHA or picture.palette is not None and picture.palette.mode == "RGBA" \
        or "transparency" in picture.info


def _sixteen(picture: Image.Image, background: tuple | None) -> np.ndarray:
    """Grey of 16 bits; Pillow's own conversion would cut off what is above 255."""
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise UserError("has grey levels of more than 16 bits; convert it to 8 bits")
    grey = np.repeat((values.astype(np.uint32) >> 8).astype(np.uint8)[..., None], 3, axis=-1)
    if background is not None and "transparency" in picture.info:
        grey[values == picture.info["transparency"]] = background
    return grey


def over(rgba: np.ndarray, background: tuple = WHITE) -> np.ndarray:
    """uint8 [H, W, 4] -> [H, W, 3] on a plain background; where alpha is 0, exactly that."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + np.array(background, np.uint16) * (255 - alpha) + 127
    return (mixed // 255).astype(np.uint8)


def to_rgb(picture: Image.Image, background: tuple | None = WHITE) -> np.ndarray:
    """An open picture as uint8 [H, W, 3].

    Grey becomes three channels, palettes are expanded, 16 bits become 8 (the upper ones), and transparent
    parts show the background, never the colour that is hidden under them. (`background` None: the stored
    colours, as the originals do.)

    Raises:
        UserError: too large, or of values whose white nobody knows (floats, 32-bit integers); says so without
            a name.
    """
    check_pixels(*picture.size)
    if picture.format in _PROGRAMS:
        raise UserError(f"is a drawing ({picture.format}), no picture of pixels; convert it to PNG")
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in _SIXTEEN_BITS):
        return _sixteen(picture, background)
    if picture.mode.startswith(("I", "F")):
        kind = "floats" if picture.mode.startswith("F") else "32-bit integers"
        raise UserError(f"has {kind} for grey levels, and nothing says which is white; convert it to 8 bits")
    try:
        if background is not None and has_alpha(picture):
            key = picture.info.get("transparency")
            if isinstance(key, tuple) and max(key) > 255:  # of 16 bits, as the file's pixels were
                picture.info["transparency"] = tuple(level >> 8 for level in key)
            return over(np.asarray(picture.convert("RGBA")), background)
        return np.asarray(picture.convert("RGB"))
    except ValueError as error:
        if "conversion" in str(error):
            raise UserError(
                f"has the colours '{picture.mode}', which cannot be made RGB; convert it to PNG"
            ) from None
        raise


def read_rgb(path, where: str = "", upright: bool = False, background: tuple | None = WHITE) -> np.ndarray:
    """Any picture file that Pillow reads, as uint8 [H, W, 3]; see `to_rgb`.

    Args:
        path: a path or an open binary file.
        where: names it in messages (default: the path).
        upright: turn it as its EXIF data says. The original programs do not.
        background: what is seen through transparent parts; None: the colours that are stored under them.

    Raises:
        UserError: missing, empty, truncated, no picture, too large, or of a kind that cannot be made RGB.
    """
    where = where or str(path)
    advice = "replace it or move it away"
    large = (f"has too many pixels (at most {MOST_PIXELS // 10**6} million are read); make it smaller or "
             "move it away")
    with reading(where, "is no picture that can be read, or is broken",
                 advice), naming(where), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on odd metadata
        try:
            with (
                open_regular(path) if isinstance(path, (str, os.PathLike)) else path as file,
                Image.open(file) as picture,
            ):
                check_pixels(*picture.size)
                return to_rgb(_upright(picture) if upright else picture, background)
        except Image.UnidentifiedImageError:  # its own words name an object in memory
            raise UserError(f"is no picture that can be read, or is broken; {advice}") from None
        except Image.DecompressionBombError:
            raise UserError(large) from None


def _upright(picture: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(picture)
    turned.format = picture.format  # a turned copy forgets it
    return turned
