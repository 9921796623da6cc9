"""The colour example that needs no account: Twemoji's pictures, from a package of the npm registry.

Source: the package emoji-datasource-twitter (MIT) holds the pictures of github.com/jdecked/twemoji, which are
licensed under CC-BY 4.0. Nothing here imports TensorFlow.
"""
from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tfgan_suite.data import download, rgb
from tfgan_suite.data.catalog import Archive
from tfgan_suite.data.makelist import make_list
from tfgan_suite.errors import UserError, reason
from tfgan_suite.files import archive as files

PACKAGE, VERSION = "emoji-datasource-twitter", "16.0.0"
NAME = f"{PACKAGE}-{VERSION}.tgz"
ARCHIVE = Archive(f"https://registry.npmjs.org/{PACKAGE}/-/{NAME}", NAME, 61683754,
                  "sha512:ec5fae0ae1c7fbb427adcd793f9b676ef2a483d13ab65ce2e0c9d3dae5b54653"
                  "78a4b613cdae9c3ff76cb487d20ccb698c52d6b997b05a0f2305bb8bd9ec842d", "tar")
PICTURES = "img/twitter/64"  # in the package
LICENCE = f"""Pictures: Twemoji, Copyright Twitter, Inc. and other contributors, github.com/jdecked/twemoji
Licence: Creative Commons Attribution 4.0 (CC-BY 4.0), creativecommons.org/licenses/by/4.0
Package: {PACKAGE} {VERSION} of the npm registry (MIT)
Changed: put on a plain background
"""
ADVICE = (f"install Node.js with npm, or put {ARCHIVE.url} beside the list that is to be made, and run this "
          f"again")


def _pack(folder: Path, archive: Archive) -> Path:
    """The package's archive, fetched into `folder` by npm.

    Raises:
        UserError: there is no npm, or it could not fetch the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"npm is not here, which fetches the emoji; {ADVICE}")
    done = subprocess.run([npm, "pack", f"{PACKAGE}@{VERSION}", f"--pack-destination={folder}", "--silent",
                           "--ignore-scripts"], capture_output=True, text=True, check=False)
    if done.returncode or not (folder / archive.name).is_file():
        said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise UserError(f"npm: could not fetch {PACKAGE}@{VERSION} ({said[0]}); try again, or {ADVICE}")
    return folder / archive.name


def make(listing, size: int = 64, background: tuple = rgb.WHITE, archive: Archive = ARCHIVE) -> int:
    """Fetches the emoji, checks the archive, and writes them as PNG on a background, with their list
    (`data/emoji.txt` -> `data/emoji/000000.png`, ..., and LICENCE.txt).

    An archive that lies beside the list is taken in place of npm's.

    Args:
        listing: the list file to write; its folder is made.
        size: side of the pictures; 64 as they are.
        archive: what is expected.

    Returns:
        Their number; 0 if an earlier call has made them.

    Raises:
        UserError: no npm, no network, another content than that of the digest, or it cannot be written.
    """
    listing = Path(listing)
    copies = listing.with_suffix("")
    if not (listing.is_file() and copies.is_dir()):
        count = _unpacked(listing, size, background, archive)
    elif (copies / "LICENCE.txt").is_file():
        return 0
    else:
        count = len(list(copies.glob("*.png")))
    try:
        (copies / "LICENCE.txt").write_text(LICENCE)
    except OSError as error:
        raise UserError(f"{copies}: cannot write: {reason(error)}; make room and run this again") from None
    return count


def _unpacked(listing: Path, size: int, background: tuple, archive: Archive) -> int:
    """The number of pictures that were written."""
    files.make_folder(listing.parent)
    with tempfile.TemporaryDirectory(prefix=f".{listing.stem}.", dir=listing.parent) as scratch:
        folder = Path(scratch)
        here = listing.parent / archive.name
        package = here if here.is_file() else _pack(folder, archive)
        wrong = download.problem(package, archive)
        if wrong:
            raise UserError(f"{package.name}: {wrong}; it is not used, try again or {ADVICE}")
        download.unpack(package, archive.unpack, folder / "package", "package")
        count, problems = make_list(folder / "package" / PICTURES, listing, size, background)
    if problems:
        raise UserError(f"{package.name}: {problems[0]}; delete {listing.with_suffix('')} and run this again")
    return count
