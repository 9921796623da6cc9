"""Broken files are found at the start."""
import numpy as np
import pytest

from tfgan_suite.data import readable
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError

from .pictures import encoded


def test_a_set_with_broken_files(photos):
    readable.check(FolderSource(photos))
    readable.check(ArraySource(np.zeros((2, 4, 4, 3), np.uint8)))  # has no files
    whole = encoded("JPEG", size=(40, 40), seed=3)
    (photos / "d.jpg").write_bytes(whole + b"\0" * 200)  # odd, but it decodes
    readable.check(FolderSource(photos))
    (photos / "e.jpg").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(UserError, match="e.jpg: .*broken") as caught:
        readable.check(FolderSource(photos))
    assert "cannot be read; the first" not in str(caught.value)
    whole_png = encoded("PNG", size=(40, 40))
    for name, content in (("f.png", whole_png[:len(whole_png) // 2]), ("g.png", b"")):
        (photos / name).write_bytes(content)
    with pytest.raises(UserError, match="3 of 7 images cannot be read; the first: .*e.jpg"):
        readable.check(FolderSource(photos))
