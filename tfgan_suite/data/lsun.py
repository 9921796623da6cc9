"""LSUN: a category's LMDB folder as published, or the same images exported to a folder."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfgan_suite.data import catalog
from tfgan_suite.data.folder import FolderSource, read_rgb
from tfgan_suite.data.lmdb import Lmdb
from tfgan_suite.data.rgb import WHITE
from tfgan_suite.data.source import Source
from tfgan_suite.errors import UserError, quoted
from tfgan_suite.files import archive


class LmdbImages(Source):
    """Images whose encoded files are the values of an LMDB database, in the order of the keys.

    Args:
        path: the folder of `data.mdb`.
        background: what is seen through transparent parts.

    Raises:
        UserError: no such database, a broken or an empty one.
    """

    def __init__(self, path, background: tuple = WHITE):
        self.name, self.background, self._file = str(path), background, Lmdb(path)
        places = tqdm(self._file.places(), "indexing", len(self._file), leave=False, disable=None,
                      unit=" images")
        self._places = np.array([(offset, size) for _, offset, size in places], np.int64).reshape(-1, 2)
        if not len(self._places):
            raise UserError(f"{path}: is an empty database; unpack or download it again")

    def __len__(self):
        return len(self._places)

    def encoded(self, index: int) -> bytes:
        """The image file as it is in the database (WebP in LSUN)."""
        return self._file.read(*map(int, self._places[index]))

    def image(self, index):
        return read_rgb(io.BytesIO(self.encoded(index)), self.describe(index),
                        background=self.background)


class LsunSource(Source):
    """One part of LSUN.

    Args:
        root: the folder of `<part>_lmdb` (as downloaded and unpacked) or `<part>` (images exported to files),
            or one of these folders itself.
        part: category and part, such as 'bedroom_train'.
        background: what is seen through transparent parts.

    Raises:
        UserError: not there, not unpacked yet, or broken.
    """

    def __init__(self, root, part: str = "bedroom_train", background: tuple = WHITE):
        self.images_in = self._open(Path(root), part, background)
        self.name = self.images_in.name

    @staticmethod
    def _open(root: Path, part: str, background: tuple) -> Source:
        for folder in (root / f"{part}_lmdb", root / part, root):
            if (folder / "data.mdb").is_file():
                return LmdbImages(folder, background)
        if (root / part).is_dir():
            return FolderSource(root / part, per_class=False, background=background)
        zipped = root / f"{part}_lmdb.zip"
        if zipped.is_file():
            raise UserError(f"{zipped}: is not unpacked yet; run 'unzip {quoted(zipped)} -d {quoted(root)}'")
        raise UserError(f"{root}: neither {part}_lmdb nor {part} is there; {catalog.help_for('lsun', root)}")

    def __len__(self):
        return len(self.images_in)

    def image(self, index):
        return self.images_in.image(index)


def export(database, folder, most: int = 0) -> int:
    """Writes the images of an LMDB database to files as they are, `folder/000/0000000.webp`, a thousand to a
    folder.

    Files that an earlier call wrote are left alone.

    Args:
        database: the folder of `data.mdb`.
        most: stop after so many images (0: all).

    Returns:
        Number of images.

    Raises:
        UserError: no database, or the files cannot be written.
    """
    source, folder = LmdbImages(database), Path(folder)
    count = min(len(source), most or len(source))
    for index in tqdm(range(count), "exporting", leave=False, disable=None, unit=" images"):
        path = folder / f"{index // 1000:03d}" / f"{index:07d}.webp"
        if not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UserError(f"{path.parent}: cannot make the folder: {error.strerror}") from None
            archive.write_bytes(path, source.encoded(index))
    return count
