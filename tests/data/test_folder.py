"""Folders of images: what counts, what it becomes, what is refused."""
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import prepare
from tfgan_suite.data.folder import FolderSource, Prepared, read_rgb
from tfgan_suite.errors import UserError

from .pictures import encoded, picture


@pytest.fixture
def classes(tmp_path):
    """dogs/b.png, dogs/x/a.jpg, cats/c.PNG, and files that do not count."""
    for seed, (name, kind) in enumerate((("dogs/b.png", "PNG"), ("dogs/x/a.jpg", "JPEG"),
                                         ("cats/c.PNG", "PNG"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(encoded(kind, seed=seed))
    (tmp_path / "dogs/notes.txt").write_text("not counted")
    (tmp_path / "dogs/._b.png").write_text("what some systems leave behind")
    return tmp_path


def test_folder_per_class(classes):
    source = FolderSource(classes)
    assert [str(p.relative_to(classes)) for p in source.paths] == ["cats/c.PNG", "dogs/b.png", "dogs/x/a.jpg"]
    assert source.classes == ("cats", "dogs") and source.labels.tolist() == [0, 1, 1]


def test_images_beside_the_classes(classes):
    (classes / "top.bmp").write_bytes(encoded("BMP"))
    assert len(FolderSource(classes)) == 4 and FolderSource(classes).labels is None
    assert len(FolderSource(classes, per_class=True)) == 3
    assert len(FolderSource(classes / "dogs", per_class=False)) == 2


def test_pattern(classes):
    assert len(FolderSource(classes, pattern="**/*.png")) == 1
    assert len(FolderSource(classes / "dogs", pattern="*.*")) == 2
    for pattern, problem in (("*.gif", "no file matches"), ("/etc/*", "not a usable pattern")):
        with pytest.raises(UserError, match=problem):
            FolderSource(classes, pattern=pattern)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "RGB"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    source = picture(mode=mode)
    source.save(tmp_path / "a.png")
    array = read_rgb(tmp_path / "a.png")
    assert array.shape == (8, 8, 3) and array.dtype == np.uint8
    if mode == "L":
        assert np.array_equal(array[..., 1], np.asarray(source))
    if mode == "RGBA":
        colours, alpha = np.asarray(source)[..., :3].astype(float), np.asarray(source)[..., 3:] / 255
        assert np.abs(array - (colours * alpha + 255 * (1 - alpha))).max() < 1


def test_sixteen_bits_and_turned_photographs(tmp_path):
    deep = (np.arange(64, dtype=np.uint16) * 1000).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(read_rgb(tmp_path / "deep.png")[..., 1], deep >> 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    picture(size=(8, 12)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_rgb(tmp_path / "turned.jpg").shape == (8, 12, 3)
    assert read_rgb(tmp_path / "turned.jpg", upright=True).shape == (12, 8, 3)


def test_links_that_lead_back(classes):
    (classes / "dogs/loop").symlink_to(classes)
    assert len(FolderSource(classes)) == 3


def test_what_is_missing_or_broken(tmp_path):
    with pytest.raises(UserError, match="no such folder; get it"):
        FolderSource(tmp_path / "none", missing="get it there")
    with pytest.raises(UserError, match="no images"):
        FolderSource(tmp_path)
    for content in (b"", b"text", encoded()[:60], encoded("JPEG", size=(64, 64))[:-900]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(UserError, match="a.png: is no picture"):
            FolderSource(tmp_path).image(0)


@pytest.mark.parametrize("budget", [None, 0])
def test_prepared_images_are_made_once_if_they_fit(classes, budget):
    calls = []

    def shrink(image):
        calls.append(1)
        return prepare.resize(image, 4, 4)

    source = Prepared(FolderSource(classes), shrink, "4x4", budget=budget)
    assert source.images([2, 0]).shape == (2, 4, 4, 3) and source.labels.tolist() == [0, 1, 1]
    assert np.array_equal(source.image(1), prepare.resize(FolderSource(classes).image(1), 4, 4))
    made = len(calls)
    source.image(1)
    assert len(calls) - made == (0 if budget is None else 1)


def test_prepared_names_the_odd_one(classes):
    (classes / "dogs/z.png").write_bytes(encoded(size=(9, 8)))
    with pytest.raises(UserError, match=r"z.png: has shape \(9, 8, 3\)"):
        Prepared(FolderSource(classes), lambda image: image)
    with pytest.raises(UserError, match="smaller than the crop of 9x9"):
        Prepared(FolderSource(classes), lambda image: prepare.centre_crop(image, 9, 9))


def test_centre_crop_rounds_halves_to_even():
    columns = np.broadcast_to(np.arange(178, dtype=np.uint8)[None, :, None], (218, 178, 3))
    rows = np.broadcast_to(np.arange(218, dtype=np.uint8)[:, None, None], (218, 178, 3))
    assert prepare.centre_crop(columns, 108, 108)[0, 0, 0] == 35
    assert prepare.centre_crop(rows, 108, 108)[0, 0, 0] == 55
    assert prepare.centre_crop(rows[:5], 2, 2)[0, 0, 0] == 2  # 1.5 -> 2
    assert prepare.centre_crop(rows[:7], 2, 2)[0, 0, 0] == 2  # 2.5 -> 2


def test_sizes_and_stretch():
    wide = np.asarray(picture(size=(10, 20)))
    assert prepare.scale_smaller_side(wide, 7).shape == (7, 14, 3)
    assert prepare.cover(wide, 6, 6).shape == (6, 6, 3) and prepare.square_crop(wide).shape == (10, 10, 3)
    assert prepare.resize(wide[..., :1], 5, 5).shape == (5, 5, 1)
    flat = prepare.stretch(np.full((2, 2, 3), 9, np.uint8))
    assert flat.max() == 0
    assert prepare.stretch(np.array([[[10], [20], [15]]], np.uint8)).ravel().tolist() == [0, 255, 128]
    assert np.array_equal(prepare.resize(wide, 5, 5),
                          np.asarray(Image.fromarray(wide).resize((5, 5), Image.BILINEAR)))
