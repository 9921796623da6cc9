"""List files: what is read, and what every kind of bad list is told."""
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import decode
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.data.lists import read_list, write_list
from tfgan_suite.data.makelist import make_list
from tfgan_suite.errors import UserError
from tfgan_suite.files import memory

from .pictures import encoded


def listed(folder, *lines):
    (folder / "list.txt").write_text("\n".join(lines))
    return "list.txt"


def test_blank_lines_are_ignored_and_numbers_kept(photos):
    assert read_list(listed(photos, "", "a.png", "   ", " b.jpg ", "")) == [(2, "a.png"), (4, "b.jpg")]


@pytest.mark.parametrize("budget", [None, 0])
def test_images_are_those_of_the_files(photos, budget):
    source = ListFile(listed(photos, "c.png", "", "a.png"), 8, crop=False, budget=budget)
    assert len(source) == 2 and (0 in source.kept) == (budget is None)
    assert np.array_equal(source.image(1), np.asarray(Image.open("a.png")))
    batch = source.crop_batch([1, 0])
    assert batch.shape == (2, 8, 8, 3) and batch.dtype == np.float32
    assert np.allclose(batch[0], np.asarray(Image.open("a.png")) / 127.5 - 1, atol=1e-6)


def test_content_counts_not_the_name(photos):
    (photos / "png.jpg").write_bytes((photos / "a.png").read_bytes())
    assert np.array_equal(decode.read("png.jpg"), decode.read("a.png"))


def test_crops_jitter_over_the_whole_range(photos):
    (photos / "wide.png").write_bytes(encoded(size=(10, 16)))
    source = ListFile(listed(photos, "wide.png", "a.png"), 4, crop=True)
    assert source.sizes.tolist() == [[5, 8], [5, 5]]
    offsets = source.draw_offsets([0] * 200 + [1] * 200, np.random.default_rng(0))
    assert (
        offsets.min() == 0
        and offsets[:200].max(0).tolist() == [1, 4]
        and offsets[200:].max(0).tolist() == [1, 1]
    )
    assert source.crop_batch([0, 1, 0], offsets[:3] * 0).shape == (3, 4, 4, 3)
    assert source.image(0).shape == (4, 4, 3) and source.image(0).dtype == np.uint8


BROKEN = {
    "missing": (None, "cannot read the image"),
    "zero bytes": (b"", "is empty"),
    "text": (b"hello, I am no image", "neither PNG nor JPEG"),
    "truncated png": (encoded(size=(8, 8))[:-30], "broken or truncated PNG"),
    "truncated jpeg": (encoded("JPEG", size=(64, 64))[:-400], "broken or truncated JPEG"),
    "only a png signature": (encoded()[:8], "broken or truncated PNG"),
    "gif": (encoded("GIF"), "neither PNG nor JPEG"),
    "wrong size": (encoded(size=(8, 9)), "is 9x8, not 8x8"),
}


@pytest.mark.parametrize("budget", [None, 0])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_images_are_named_with_their_line(photos, case, budget):
    content, problem = BROKEN[case]
    if content is not None:
        (photos / "bad.img").write_bytes(content)
    with pytest.raises(UserError, match=rf"bad.img \(line 4 of list.txt\): .*{problem}") as caught:
        ListFile(listed(photos, "a.png", "", "c.png", "bad.img", "a.png"), 8, crop=False, budget=budget)
    assert "\n" not in str(caught.value)


def test_bytes_after_the_end_of_an_image_do_no_harm(photos):
    (photos / "tail.png").write_bytes(encoded() + b"a camera's remarks")
    assert len(ListFile(listed(photos, "tail.png"), 8, crop=False)) == 1


@pytest.mark.parametrize("content, problem",
                         [("", "lists no images"), (" \n\n", "lists no images"), (None, "no such list")])
def test_unusable_lists(photos, content, problem):
    if content is not None:
        listed(photos, content)
    with pytest.raises(UserError, match=problem):
        ListFile("list.txt", 8, crop=False)


def test_a_picture_or_a_folder_in_place_of_the_list(photos):
    (photos / "list.png").write_bytes(encoded())
    for path, problem in (("list.png", "not a text file"), (".", "cannot read the list file")):
        with pytest.raises(UserError, match=problem):
            ListFile(path, 8, crop=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_lists_as_windows_tools_write_them(photos, encoding, end):
    (photos / "bilder é").mkdir()
    (photos / "bilder é/日本.png").write_bytes(encoded())
    text = end.join(["bilder é/日本.png", "a.png", ""])
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    (photos / "list.txt").write_bytes(mark + text.encode(encoding))
    assert ListFile("list.txt", 8, crop=False).paths == ["bilder é/日本.png", "a.png"]


def test_a_list_in_another_encoding_says_which_is_wanted(photos):
    (photos / "é.png").write_bytes(encoded())
    (photos / "list.txt").write_bytes("é.png\n".encode("latin-1"))
    with pytest.raises(UserError, match="No such file or directory; is the list in UTF-8?"):
        ListFile("list.txt", 8, crop=False)
    (photos / "list.txt").write_bytes("é.png\n".encode("utf-16")[2:])  # without its mark
    with pytest.raises(UserError, match="not a text file in UTF-8"):
        ListFile("list.txt", 8, crop=False)


def test_names_that_are_no_text(photos):
    """Bytes that are not UTF-8 go into a list and out of it; a line break cannot, and a space before a name
    can."""
    (photos / "p").mkdir()
    for name in (b"caf\xe9.png", b" a.png", b"two  words.png", b"new\nline.png"):
        Path("p", os.fsdecode(name)).write_bytes(encoded())
    count, bad = make_list("p", "l.txt", 0)
    assert count == 3 and len(bad) == 1 and "line break in its name" in bad[0]
    assert len(ListFile("l.txt", 8, crop=False)) == 3
    assert make_list("p", "copies/l.txt", 8) == (4, [])
    Path("odd\nfolder").mkdir()
    with pytest.raises(UserError, match="line break"):
        make_list("p", "odd\nfolder/l.txt", 8)
    write_list(photos / "m.txt", [" first.png"])
    assert (photos / "m.txt").read_text() == "./ first.png\n"


def test_budget_is_a_part_of_what_is_free():
    assert 0 <= memory.budget() < memory.available() or memory.available() == 0
