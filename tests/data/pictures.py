"""Little picture files for the data tests."""
import io

import numpy as np
from PIL import Image


def picture(size=(8, 8), seed=0, mode="RGB"):
    """A random Pillow picture of (height, width)."""
    channels = {"L": (), "P": (), "RGB": (3,), "RGBA": (4,)}[mode]
    array = np.random.default_rng(seed).integers(0, 256, (*size, *channels), dtype=np.uint8)
    return Image.fromarray(array, mode if mode != "P" else "L").convert(mode)


def encoded(kind="PNG", **options):
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    picture(**options).save(buffer, kind)
    return buffer.getvalue()
