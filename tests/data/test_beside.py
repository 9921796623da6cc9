"""What is done beside the training: decoding in blocks, looking at all images, keeping what fits."""
import io
import threading

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import decode, listfile
from tfgan_suite.data.beside import Beside
from tfgan_suite.data.folder import FolderSource, Prepared
from tfgan_suite.data.kept import KeptPictures, KeptRows
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.data.parallel import in_parallel
from tfgan_suite.errors import UserError

from .pictures import encoded, picture


def files():
    """Every kind of PNG and JPEG that the list reads, of many sizes."""
    found = [encoded(kind, size=(5 + i, 40 - i), seed=i) for i, kind in enumerate(("PNG", "JPEG") * 10)]
    for mode in ("L", "P", "RGBA"):
        found.append(encoded(mode=mode))
    for options in ({"format": "PNG", "optimize": True}, {"format": "JPEG", "progressive": True},
                    {"format": "JPEG", "subsampling": 0}, {"format": "JPEG", "restart_marker_blocks": 1}):
        buffer = io.BytesIO()
        picture(size=(33, 21), seed=5).save(buffer, **options)
        found.append(buffer.getvalue())
    for image in (picture(mode="L"), picture(size=(9, 9)).convert("CMYK")):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG")
        found.append(buffer.getvalue())
    deep = io.BytesIO()
    Image.fromarray((np.arange(64, dtype=np.uint16) * 999).reshape(8, 8)).save(deep, "PNG")
    return [*found, deep.getvalue()]


def test_blocks_give_what_one_by_one_gives():
    data = files() * 3
    for image, one in zip(decode.several(data, ["x"] * len(data)), data):
        assert np.array_equal(image, decode.decode(one, "x"))
    assert [part.stop - part.start for part in decode.in_blocks(len(data))] == [64, 16, 4, 4, 1, 1]


def test_sizes_from_the_head():
    for data in files():
        assert decode.dimensions(data) == decode.decode(data, "x").shape[:2]
    for odd in (b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"GIF89a", encoded()[:12], encoded("JPEG")[:40]):
        assert decode.dimensions(odd) is None


def test_the_first_broken_one_is_named():
    data = [encoded(seed=i) for i in range(70)]
    data[40], data[66] = data[40][:-30], b""
    with pytest.raises(UserError, match="^40: is a broken or truncated PNG"):
        decode.several(data, [str(i) for i in range(70)])


def test_blocks_on_threads_keep_order_and_the_first_error():
    assert in_parallel(lambda x: x * x, range(1000), "") == [x * x for x in range(1000)]
    assert in_parallel(str, [], "") == []
    with pytest.raises(ZeroDivisionError, match="by zero"):
        in_parallel(lambda x: 1 // (x - 700) if x < 900 else {}[x], range(1000), "")


@pytest.mark.parametrize("imsz", [4, 7])
def test_crops_of_one_graph_are_those_of_the_plain_form(photos, imsz):
    """Pictures of several sizes, of which one needs no resize; from memory and read anew."""
    names = []
    for i, size in enumerate([(8, 8), (imsz + 1, 3 * imsz), (50, 31), (20, 40)] * 6):
        (photos / f"{i}.png").write_bytes(encoded("PNG" if i % 2 else "JPEG", size=size, seed=i))
        names.append(f"{i}.png")
    (photos / "list.txt").write_text("\n".join(names))
    for budget in (None, 0, 2000):
        source = ListFile("list.txt", imsz, crop=True, budget=budget)
        indices = np.random.default_rng(1).integers(0, len(names), 30)
        offsets = source.draw_offsets(indices, np.random.default_rng(2))
        batch = source.crop_batch(indices, offsets)
        for image, i, (row, column) in zip(batch, indices, offsets):
            plain = decode.read(names[i])
            resized = listfile.legacy_resize(plain, listfile.new_size(imsz, *plain.shape[:2]))
            cut = resized[row:row + imsz, column:column + imsz]
            assert np.array_equal(image, cut * np.float32(2.0 / 255.0) - np.float32(1.0))
        sides = source.sizes
        assert np.array_equal(offsets, np.random.default_rng(2).integers(0, sides[indices] - imsz + 1))


def test_a_budget_holds():
    rows = KeptRows(10, (4, 4, 3), 3 * 48 + 5)
    assert rows.slots == 3 and 0 not in rows
    for i in (0, 2, 7):
        rows.add(i, np.full((4, 4, 3), i, np.uint8))
    assert 0 in rows and 1 not in rows and 2 in rows and 7 not in rows and rows[2].max() == 2
    kept = KeptPictures(100)
    for i in range(5):
        kept.add(i, np.zeros((1, 30, 1), np.uint8))
    assert [i in kept for i in range(5)] == [True] * 3 + [False] * 2 and not kept.fits(4)


def test_what_fits_only_in_part_is_kept_in_part(photos):
    (photos / "list.txt").write_text("a.png\nb.jpg\nc.png\n")
    source = ListFile("list.txt", 8, crop=False, budget=400)
    assert [i in source.kept for i in range(3)] == [True, True, False]
    prepared = Prepared(FolderSource(photos), lambda image: image, budget=400)
    assert not prepared.in_memory and np.array_equal(prepared.images([2, 0]), source.images([2, 0]))


def look(problems, **options):
    return Beside("faces", 600, lambda numbers: [problems[i] for i in numbers if i in problems], **options)


def test_what_a_look_finds_is_counted():
    look({})
    with pytest.raises(UserError, match="^b is broken$"):
        look({3: "b is broken"})
    with pytest.raises(UserError, match="^faces: 2 of 600 images cannot be read; the first: b is broken$"):
        look({3: "b is broken", 590: "c is broken"})


def test_a_long_look_goes_on_beside_the_training(capsys, monkeypatch):
    """Training has begun when the broken image is found; the next batch tells."""
    go = threading.Event()

    def slow(numbers):
        go.wait(10)
        return ["b is broken"] if numbers[0] == 256 else []

    monkeypatch.setattr("tfgan_suite.data.beside.WAITED", 0.0)
    beside = Beside("faces", 600, slow)
    assert "its 600 images are looked at beside the training" in capsys.readouterr().err
    beside.check()
    go.set()
    with pytest.raises(UserError, match="^b is broken$"):
        beside.wait()


def test_a_bug_in_a_look_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Beside("faces", 3, lambda numbers: 1 // 0)
