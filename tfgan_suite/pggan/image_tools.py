"""Side programs of alenmora/ppgan on folders of images: statistics and cleaning."""
from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

from tfgan_suite.data import rgb
from tfgan_suite.data.folder import EXTENSIONS
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive
from tfgan_suite.pictures import saving


def face_likelihood() -> Callable[[Image.Image], float]:
    """A function from an image to the likelihood of its first anime face, 0 if there is none.

    Raises:
        UserError: the package animeface is not installed (nothing else needs it).
    """
    try:
        import animeface
    except ImportError:
        raise UserError("--searchFaces needs the package animeface; pip install animeface, or leave the flag "
                        "away") from None

    def likelihood(picture):
        faces = animeface.detect(picture)
        return float(faces[0].likelihood) if faces else 0.0

    return likelihood


def _folder(path) -> Path:
    if not Path(path).is_dir():
        raise UserError(f"{path}: no such folder")
    return Path(path)


def find(path, first: tuple = (".png", ".jpg")) -> list[Path]:
    """The folder's pictures: the endings `first`, as in the original, then all others; each sorted.

    Raises:
        UserError: no such folder, or none in it.
    """
    places = {ending: i for i, ending in reversed(list(enumerate((*first, *EXTENSIONS))))}
    found = [item for item in _folder(path).iterdir() if item.suffix.lower() in places]
    if not found:
        raise UserError(f"{path}: holds no pictures ({', '.join(EXTENSIONS)})")
    return sorted(found, key=lambda item: (places[item.suffix.lower()], item))


@contextlib.contextmanager
def _opened(path) -> Iterator[Image.Image]:
    """An open picture of usual size.

    Raises:
        UserError: it cannot be read, now or while it is converted.
    """
    with reading(path, "is no picture that can be read", "remove it"), Image.open(path) as picture:
        rgb.check_pixels(*picture.size)
        yield picture


def moments(paths: list[Path]) -> tuple[np.ndarray, np.ndarray, tuple, list[Path]]:
    """Mean in [0, 255] and standard deviation in [0, 1] of every pixel, float64 [H, W, C], the names of the
    bands, and the pictures that could be read; a line says which could not, as in the original.

    Size and mode are those of the first readable image; the others are resized with LANCZOS and converted.

    Raises:
        UserError: none can be read.
    """
    size, mode, total, squares, used = None, "", 0.0, 0.0, []
    for path in paths:
        try:
            with _opened(path) as picture:
                size, mode = size or picture.size, mode or ("RGB" if picture.mode == "P" else picture.mode)
                picture = picture.convert(mode)
                picture = picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
        except UserError as error:
            print(f"left out: {error}")
            continue
        x = np.atleast_3d(np.asarray(picture, np.float64))
        total, squares, used = total + x, squares + (x / 255) ** 2, [*used, path]
    if not used:
        raise UserError(f"{paths[0].parent}: none of its {len(paths)} pictures can be read")
    mean = total / len(used)
    deviation = np.sqrt(np.maximum(squares / len(used) - (mean / 255) ** 2, 0))
    return mean, deviation, Image.new(mode, (1, 1)).getbands(), used


def deviation_picture(plane: np.ndarray, band: int, bands: int) -> np.ndarray:
    """A plane of deviations [H, W] in one colour: white where 0, full colour at its maximum; uint8 [H, W,
    3]."""
    shade = 255 - 255 * plane / (plane.max() + 1e-8)
    picture = np.repeat(shade[..., None], 3, -1)
    if bands >= 3 and band < 3:
        picture[..., band] = 255
    return picture.astype(np.uint8)


def statistics(path, target=None, likelihood: Callable | None = None) -> dict[str, float]:
    """Writes mean.jpg and std<BAND>.jpg of a folder's images, and returns their count and the moments of the
    face likelihood.

    Args:
        target: folder to write to; by default stats/<folder with - for />.
        likelihood: see `face_likelihood`; None: faces are not looked for.
    """
    mean, deviation, bands, paths = moments(find(path))
    target = Path(target or Path("stats") / str(path).strip("/").replace("/", "-"))
    archive.make_folder(target)
    rounded = np.rint(mean).astype(np.uint8)
    saving.save(target / "mean.jpg", rounded[..., :3] if rounded.shape[-1] >= 3 else rounded[..., 0])
    for i, name in enumerate(bands):
        saving.save(target / f"std{name}.jpg", deviation_picture(deviation[..., i], i, len(bands)))
    found = {"count": len(paths), "height": mean.shape[0], "width": mean.shape[1]}
    if likelihood:
        scores = np.array([likelihood(Image.fromarray(rgb.read_rgb(p))) for p in paths])
        found.update(likelihood_sum=scores.sum(), likelihood_mean=scores.mean(), likelihood_std=scores.std())
    return found


def clean(path, target, res: int | None = None, likelihood: Callable | None = None,
          threshold: float = 0.5) -> tuple[int, int]:
    """Copies the usable *.jpg of a folder.

    Args:
        res: images whose smaller side is below this stay behind.
        likelihood: images whose first face is less likely than `threshold` stay behind; None: faces are not
            looked for.

    Returns:
        (copied, left behind); unreadable images are left behind. A line for each of them says why.
    """
    source, target = _folder(path), Path(target)
    if source.resolve() == target.resolve():
        raise UserError(f"{target}: is the folder to clean itself; give another one to copy to")
    archive.make_folder(target)
    copied, paths = 0, sorted(source.glob("*.jpg"))
    for item in paths:
        why = _unusable(item, res, likelihood, threshold)
        if why:
            print(f"left behind: {why}")
        else:
            shutil.copyfile(item, target / item.name)
            copied += 1
    return copied, len(paths) - copied


def _unusable(path: Path, res: int | None, likelihood: Callable | None, threshold: float) -> str:
    """Why `clean` leaves a picture behind; '' if it is fine."""
    try:
        picture = rgb.read_rgb(path)
    except UserError as error:
        return str(error)
    height, width = picture.shape[:2]
    if res is not None and min(height, width) < res:
        return f"{path}: {width}x{height} is smaller than {res}"
    score = threshold if likelihood is None else likelihood(Image.fromarray(picture))
    return (
        "" if score >= threshold else f"{path}: its first face is {score:.2f} likely, {threshold} are needed"
    )
