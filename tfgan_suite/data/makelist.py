"""From a folder of one's own pictures to the list file that RP-GAN trains on."""
from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

from PIL import Image

from tfgan_suite.data import prepare, rgb
from tfgan_suite.data.folder import find_pictures
from tfgan_suite.data.lists import listed_path, unlistable, write_list
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.errors import UserError, naming, reason
from tfgan_suite.files import archive


def _copy(path: Path, target: Path, size: int, background: tuple) -> str:
    """Writes the middle square of a picture at size x size as PNG; returns what is wrong with it, or ''."""
    try:
        whole = rgb.read_rgb(path, upright=True, background=background)
        with naming(path):
            picture = prepare.resize(prepare.square_crop(whole), size, size, "LANCZOS")
    except UserError as error:
        return str(error)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    archive.write_bytes(target, buffer.getvalue())
    return ""


def _check(path: Path) -> str:
    from tfgan_suite.data import decode  # it needs TensorFlow, which the other way does not

    if unlistable(path):
        return f"{str(path)!r}: {unlistable(path)}"
    try:
        decode.read(path)
    except UserError as error:
        return str(error)
    return ""


def _to_list(folder: Path, listing: Path, copies: Path | None) -> list[Path]:
    """The pictures of a folder, if the list and the folder of copies (None: none are made) can be made.

    Raises:
        UserError: as `make_list`.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; give the folder of your pictures")
    if listing.with_suffix("") == listing:
        raise UserError(f"{listing}: a list file's name ends in .txt")
    if copies and copies.exists():
        raise UserError(f"{copies}: is there already; delete it or give the list another name")
    found = find_pictures(folder)
    if not found:
        raise UserError(f"{folder}: no pictures in it (.jpg, .png, .webp, ...); give the folder of your "
                        f"pictures")
    return found


def make_list(folder, listing, size: int = 64, background: tuple = rgb.WHITE) -> tuple[int, list[str]]:
    """Lists the pictures of a folder and its sub-folders, sorted.

    With a size, the middle square of each is resized to PNG copies in a folder beside the list
    (`data/faces.txt` -> `data/faces/000000.png`, ...); with size 0 the files themselves are listed (PNG and
    JPEG only), for `crop = True`. Pictures that cannot be read are left out. What begins like a picture is
    one, whatever its name ends in.

    Args:
        folder: where the pictures are.
        listing: the list file to write; its folder is made.
        background: what copies show in place of transparent parts. Files that are listed as they are show the
            colours that are stored under these, as in the original; a line on stderr says so.

    Returns:
        (pictures listed, what is wrong with those left out).

    Raises:
        UserError: no usable pictures, something is in the way, or it cannot be written.
    """
    folder, listing = Path(folder), Path(listing)
    copies = listing.with_suffix("")
    found = _to_list(folder, listing, copies if size else None)
    listed_path(listing)  # its folder is a part of every line
    partial = archive.partial_of(copies)
    try:
        (partial if size else listing.parent).mkdir(parents=True, exist_ok=True)
        files = [partial / f"{i:06d}.png" for i in range(len(found))] if size else found
        problems = in_parallel(lambda i: _copy(found[i], files[i], size, background)
                               if size else _check(found[i]),
                               range(len(found)), "reading pictures")
        good = [copies / file.name if size else file for file, wrong in zip(files, problems) if not wrong]
        if not good:
            raise UserError(f"{folder}: none of its {len(found)} pictures can be read; the first: "
                            f"{problems[0]}")
        if size:
            os.rename(partial, copies)
        else:
            rgb.remark_on_alpha(sum(map(rgb.png_with_alpha, good)), folder)
        write_list(listing, good)
    except OSError as error:
        raise UserError(f"{listing}: cannot write: {reason(error)}; give another list") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(good), [wrong for wrong in problems if wrong]
