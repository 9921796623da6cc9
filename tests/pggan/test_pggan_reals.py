"""Pictures of one's own: what is found before training, memory, and the prepared pyramid."""
import numpy as np
import pytest
from pggan_support import SMALL, make, make_params
from PIL import Image
from tiny import verb

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.files import memory
from tfgan_suite.pggan import prepared, pyramid, reals

SIDES = {"a": (20, 16, 40), "b": (18, 24)}


@pytest.fixture
def faces(tmp_path):
    """Five pictures in two folders."""
    draw = np.random.default_rng(0)
    for name, sides in SIDES.items():
        (tmp_path / "faces" / name).mkdir(parents=True)
        for i, side in enumerate(sides):
            picture = draw.integers(0, 256, (side, side + 2, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / "faces" / name / f"{i}.png")
    return tmp_path / "faces"


def opened(folder, **flags):
    return reals.open_source(make_params(**{**SMALL, "data_path": str(folder), **flags}))


def test_a_line_says_how_many_of_which_folders(faces):
    """The trainer shows it before the first iteration."""
    system = make(data_path=str(faces))
    source = system.source()
    assert reals.described(source) == f"5 images of {faces}: {faces}/a 3, {faces}/b 2"
    assert system.notices() == [reals.described(source)]
    for i in range(8):
        (faces / f"c{i}").mkdir()
        Image.open(faces / "a/0.png").save(faces / f"c{i}/0.png")
    assert reals.described(opened(faces)).endswith(", 4 more folders")


def test_broken_pictures_are_all_listed_before_training(faces, capsys):
    whole = (faces / "a/0.png").read_bytes()
    (faces / "a/5.png").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(UserError, match="a/5.png"):
        opened(faces)
    (faces / "b/6.jpg").write_bytes(b"")
    with pytest.raises(UserError, match="2 of 7 images cannot be read"):
        opened(faces)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "5.png" in lines[0] and "6.jpg" in lines[1]


def test_small_pictures_are_enlarged_on_request(faces):
    """The original enlarges without a word."""
    table = "4:4,8:4,16:4,32:4"
    with pytest.raises(UserError, match=r"4 of 5 are smaller, such as .*a/0.png \(22x20\).*--upscale"):
        opened(faces, endRes=32, batch_table=table)
    system = make(endRes=32, batch_table=table, data_path=str(faces), upscale=True)
    source = system.source()
    assert system.reals().image(0).shape == (32, 32, 3)
    assert system.reals_of_run.pyramid(source).images([0, 1], 32).shape == (2, 32, 32, 3)


def test_labels_are_asked_for_where_there_are_none(tmp_path, faces):
    assert opened(faces, networks="paper", classes=2).labels.tolist() == [0, 0, 0, 1, 1]
    for i in range(4):
        Image.open(faces / "a/0.png").save(tmp_path / f"{i}.png")
    (tmp_path / "flat").mkdir()
    Image.open(faces / "a/0.png").save(tmp_path / "flat/0.png")
    with pytest.raises(UserError, match="no labels, and classes=2"):
        opened(tmp_path / "flat", networks="paper", classes=2)


def test_memory_follows_what_is_free_and_is_given_back(monkeypatch):
    """Copies of a resolution go when a higher one is asked for; what fits then is looked up anew."""
    source = ArraySource(np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8))
    free = [6 * 3 * (4**2 + 8**2)]
    monkeypatch.setattr(memory, "budget", lambda: free[0])
    levels = pyramid.Pyramid(source, [4, 8, 16], "BOX", 3)
    levels.images(range(6), 4)
    assert sorted(levels.kept) == [4, 8]
    levels.images(range(6), 8)
    assert sorted(levels.kept) == [8] and levels.decoded == 6
    levels.images([0], 4)  # a picture of the level before
    assert levels.decoded == 7 and sorted(levels.kept) == [8]
    free[0] = 6 * 3 * 16**2
    first, again = levels.images(range(6), 16), levels.images(range(6), 16)
    assert sorted(levels.kept) == [16] and levels.decoded == 13 and np.array_equal(first, again)
    assert np.array_equal(first, source.array)


def test_prepared_pictures_are_those_of_the_folder(faces, tmp_path, capsys):
    """`tools/datasets.py pyramid`: the same batches, labels and reals, nothing decoded."""
    target = tmp_path / "ready"
    command = ["pyramid", str(faces), str(target), "--size=16", "--filter=BILINEAR"]
    verb("tools/datasets.py")(command)
    said = capsys.readouterr().out
    assert "5 images at 4x4 to 16x16" in said and f"--data_path={target}" in said
    flags = {"inputFilter": "BILINEAR", "networks": "paper", "classes": 2}
    one, other = (make(**flags, data_path=str(path)) for path in (faces, target))
    a, b = one.source(), other.source()
    for step in (0, 4, one.iterations - 1):
        x, y = one.batch(step, a), other.batch(step, b)
        assert set(x) == set(y) == {"reals", "labels", "wanted"}
        assert all(np.array_equal(x[name], y[name]) for name in x)
    assert all(np.array_equal(one.reals().image(i), other.reals().image(i)) for i in range(5))
    assert reals.described(b) == f"5 images of {target}"
    with pytest.raises(UserError, match="is there already"):
        verb("tools/datasets.py")(command)


@pytest.mark.parametrize("flags, text", [
    ({"inputFilter": "BOX"}, "inputFilter=BILINEAR, this run has inputFilter=BOX"),
    ({"inputFilter": "BILINEAR", "nChannels": 1}, "nChannels=3, this run has nChannels=1"),
    ({"inputFilter": "BILINEAR", "endRes": 32, "batch_table": "4:4,8:4,16:4,32:4"}, "goes up to 16 pixels"),
    ({"inputFilter": "BILINEAR", "background": "black"}, "background=white, this run has background=black"),
])
def test_prepared_for_another_run(tmp_path, flags, text):
    source = ArraySource(np.zeros((5, 16, 16, 3), np.uint8))
    prepared.make(source, tmp_path / "ready", 16, "BILINEAR", 3)
    with pytest.raises(UserError, match=text):
        opened(tmp_path / "ready", **flags)
    np.save(tmp_path / "ready/8.npy", np.zeros(3))
    with pytest.raises(UserError, match="ready: .*tools/datasets.py pyramid"):
        opened(tmp_path / "ready", inputFilter="BILINEAR")
