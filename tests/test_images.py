"""Sheets, bytes, files."""
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.errors import UserError
from tfgan_suite.pictures import bytes, saving, sheets


def test_bytes_are_truncated_not_rounded():
    x = np.float32([-1, 1, 0, -1 + 1.99 / 255 * 2, 1.5, -2])
    assert bytes.to_uint8(x).tolist() == [0, 255, 127, 1, 255, 0]
    assert np.abs(bytes.to_float(np.arange(256, dtype=np.uint8)) - np.linspace(-1, 1, 256)).max() < 1e-6


def test_a_sheet_is_row_by_row():
    cells = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    sheet = sheets.grid(cells, 2, 3)
    assert sheet.shape == (4, 9, 3)
    assert sheet[0, ::3, 0].tolist() == [0, 1, 2] and sheet[2, ::3, 0].tolist() == [3, 4, 0]
    assert sheets.grid(cells[..., :1], 2, 3, border=1, fill=9).shape == (7, 13, 3)
    with pytest.raises(ValueError):
        sheets.grid(cells, 1, 2)


def test_files(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    saving.save(tmp_path / "a.png", picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
    saving.save(tmp_path / "a.jpg", picture)
    assert Image.open(tmp_path / "a.jpg").format == "JPEG"
    saving.save_gif(tmp_path / "a.gif", [picture, 255 - picture])
    assert Image.open(tmp_path / "a.gif").n_frames == 2
    for bad, said in (("a.xyz", "cannot write this format"), ("none/a.png", "does not exist")):
        with pytest.raises(UserError, match=said):
            saving.save(tmp_path / bad, picture)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    saving.save(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    before = (tmp_path / "a.png").read_bytes()

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(UserError, match="No space left on device"):
        saving.save(tmp_path / "a.png", np.ones((2, 2, 3), np.uint8))
    assert (tmp_path / "a.png").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name, side", [("x.jpg", 65501), ("x.JPEG", 65501), ("x.webp", 16384)])
def test_a_picture_too_large_for_its_format(tmp_path, name, side):
    for shape in ((side, 1, 3), (1, side, 3)):
        with pytest.raises(UserError, match=f"{name}: the picture has .* on a side at most; give .*.png"):
            saving.save(tmp_path / name, np.zeros(shape, np.uint8))
    saving.save(tmp_path / name, np.zeros((side - 1, 1, 3), np.uint8))
    with pytest.raises(UserError, match="x.gif: the picture has 65536x1"):
        saving.save_gif(tmp_path / "x.gif", [np.zeros((1, 65536, 3), np.uint8)])


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".tiff", ".ppm", ".webp", ".jpg", ".JPEG"])
def test_formats(tmp_path, ending):
    """Each ending is written in its format; the lossless ones give the picture back."""
    picture = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    saving.save(tmp_path / f"a{ending}", picture)
    with Image.open(tmp_path / f"a{ending}") as found:
        expected = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}.get(
            ending.lower(), ending[1:].upper()
        )
        assert found.format == expected and found.size == (10, 8)
        if ending in (".png", ".bmp", ".tif", ".tiff", ".ppm"):
            assert np.array_equal(np.asarray(found), picture)
