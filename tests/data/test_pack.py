"""Packed files: the same images, made whole or not at all, refused when they are no longer those outside."""
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import run

from tfgan_suite.data import labelled, pack
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.errors import UserError

from .pictures import encoded


@pytest.fixture
def listed(photos):
    for i, size in enumerate([(8, 8), (30, 11), (12, 12)] * 3):
        (photos / f"p{i}.{'png' if i % 2 else 'jpg'}").write_bytes(
            encoded("PNG" if i % 2 else "JPEG", size=size, seed=i))
    names = sorted(path.name for path in photos.glob("*.*g"))
    (photos / "list.txt").write_text("\n".join(names) + "\n")
    return names


def same_batches(crop, names=("list.txt", "list.pack")):
    sources = [ListFile(name, 6, crop=crop, budget=budget) for name in names for budget in (None, 0)]
    batches = []
    for source in sources:
        indices = np.random.default_rng(0).integers(0, len(source), 20)
        batches.append(source.crop_batch(indices, source.draw_offsets(indices, np.random.default_rng(1))))
    assert all(np.array_equal(batch, batches[0]) for batch in batches)


def test_a_list_and_its_pack_give_the_same_batches(listed):
    done = run("tools/datasets.py", "pack", "list.txt", "list.pack")
    assert (done.returncode, done.stdout) == (0, f"{len(listed)} pictures packed in list.pack\n"), done.stderr
    same_batches(crop=True)
    opened = pack.Pack("list.pack")
    assert [opened.read(i) for i in range(len(opened))] == [Path(name).read_bytes() for name in listed]
    assert list(opened.names) == listed
    assert not [name for name in os.listdir() if "partial" in name or "journal" in name]
    for name in listed:  # the pack does without them
        os.remove(name)
    os.remove("list.txt")
    same_batches(True, ("list.pack",))


def test_what_is_stale_is_refused(listed):
    pack.make("list.txt", "list.pack")
    picture = Path("a.png")
    picture.write_bytes(encoded(seed=77))
    with pytest.raises(UserError, match=r"^a.png: has changed since list.pack was made; make it again with"):
        ListFile("list.pack", 6, crop=True)
    picture.unlink()
    Path("list.txt").write_text("\n".join(listed[::-1]))
    with pytest.raises(UserError, match="^list.pack: list.txt has changed since it was packed; make it"):
        ListFile("list.pack", 6, crop=True)


def test_what_is_not_whole_is_refused(listed):
    pack.make("list.txt", "list.pack")
    data = Path("list.pack").read_bytes()
    for broken in (b"", data[:20], data[:-1], data[:-40], data[10:], data[:-60] + b"x" + data[-59:]):
        Path("list.pack").write_bytes(broken)
        with pytest.raises(UserError, match="^list.pack: is no whole packed file"):
            pack.Pack("list.pack")
    Path("list.pack").write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    for name in listed:
        os.remove(name)
    with pytest.raises(UserError, match=r"^a.png \(number 1 in list.pack\): is damaged in the packed file"):
        ListFile("list.pack", 6, crop=True)


def test_a_stopped_one_is_gone_on_with(listed, monkeypatch):
    monkeypatch.setattr(pack, "_BLOCK", 2)
    sound, read = pack._sound, []

    def stopping(name):
        read.append(name)
        if len(read) > 5:
            raise KeyboardInterrupt
        return sound(name)

    monkeypatch.setattr(pack, "_sound", stopping)
    with pytest.raises(KeyboardInterrupt):
        pack.make("list.txt", "list.pack")
    assert not Path("list.pack").exists()
    with open("list.pack.partial", "ab") as file:
        file.write(b"what a power failure leaves behind")
    again = []
    monkeypatch.setattr(pack, "_sound", lambda name: again.append(name) or sound(name))
    assert pack.make("list.txt", "list.pack") == len(listed)
    assert sorted(again) == listed[4:]  # four of them were there
    same_batches(crop=True)


def test_a_broken_picture_is_named(listed):
    Path("b.jpg").write_bytes(Path("b.jpg").read_bytes()[:-20])
    done = run("tools/datasets.py", "pack", "list.txt", "list.pack")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "b.jpg: is no picture" in done.stderr
    assert not Path("list.pack").exists()


def test_a_folder_per_class(tmp_path):
    for name in ("cats/1.png", "dogs/x/2.png", "dogs/3.png", "top.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(encoded(seed=len(name), mode="RGBA"))
    path = tmp_path / "set.pack"
    assert pack.make(tmp_path / "set", path) == 4
    plain = FolderSource(tmp_path / "set", per_class=True, background=(255, 255, 255))
    packed = pack.PackedFolder(path, True, (255, 255, 255))
    assert packed.classes == plain.classes and np.array_equal(packed.labels, plain.labels)
    for i in range(3):
        assert np.array_equal(packed.image(i), plain.image(i))
    assert len(pack.PackedFolder(path, False)) == 4
    opened = labelled.open_source("folder", str(path), 8, 2)
    assert np.array_equal(opened.labels, plain.labels) and opened.image(0).shape == (8, 8, 3)
    Image.new("RGB", (8, 8)).save(tmp_path / "set/dogs/new.png")
    with pytest.raises(UserError, match="set has 5 pictures now, 4 when it was packed"):
        labelled.open_source("folder", str(path), 8, 2)
