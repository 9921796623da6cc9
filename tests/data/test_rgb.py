"""Every kind of picture becomes what it shows, or is refused by name."""
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import decode, prepare, rgb
from tfgan_suite.data.folder import FolderSource, find_pictures
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.data.makelist import make_list
from tfgan_suite.errors import UserError

RAMP = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP.T], -1)


def hidden():
    """A blue square on transparent ground with other colours under it: as RGBA, as a palette, as one
    transparent colour."""
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[..., 0], rgba[::2, :4, 1], rgba[8:24, 8:24] = 255, 255, (0, 0, 255, 255)
    index = np.zeros((32, 32), np.uint8)
    index[8:24, 8:24], index[::2, :4] = 1, 2
    palette = Image.fromarray(index, "P")
    palette.putpalette([255, 0, 0, 0, 0, 255, 0, 255, 0])
    plain = np.zeros((32, 32, 3), np.uint8)
    plain[..., 0], plain[8:24, 8:24] = 255, (0, 0, 255)
    grey = np.full((32, 32, 2), 90, np.uint8)
    grey[..., 1], grey[8:24, 8:24] = 0, (29, 255)
    yield "rgba.png", Image.fromarray(rgba), {}
    yield "rgba.webp", Image.fromarray(rgba), {"lossless": True, "exact": True}
    yield "rgba.tif", Image.fromarray(rgba), {}
    yield "palette.png", palette, {"transparency": bytes([0, 255, 0])}
    yield "palette.gif", Image.fromarray(np.uint8(index == 1), "P"), {"transparency": 0}
    yield "one.png", Image.fromarray(plain), {"transparency": (255, 0, 0)}
    yield "grey.png", Image.fromarray(grey, "LA"), {}
    yield "level.png", Image.fromarray(np.where(index == 1, 29, 90).astype(np.uint8)), {"transparency": 90}
    yield "deep.png", Image.fromarray(np.where(index == 1, 29 << 8,
                                               90 << 8).astype(np.uint16)), {"transparency": 90 << 8}


@pytest.mark.parametrize("background", ["white", "black", "#102030"])
def test_colours_under_alpha_0_never_show(tmp_path, background):
    ground = rgb.colour(background)
    for name, picture, options in hidden():
        if name == "palette.gif":
            picture.putpalette([255, 0, 0, 0, 0, 255])
        picture.save(tmp_path / name, **options)
        array = rgb.read_rgb(tmp_path / name, background=ground)
        assert (array[:6] == ground).all() and (array[:, :6] == ground).all(), name
        assert (array[8:24, 8:24] != ground).any() and np.ptp(array[8:24, 8:24].reshape(-1, 3),
                                                              0).max() == 0, name


def test_half_transparent_parts_are_mixed():
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 128], [200, 100, 0, 0]]], np.uint8)
    assert rgb.over(rgba).tolist() == [[[200, 100, 0], [227, 177, 127], [255, 255, 255]]]


def pnm(magic, values, most):
    return f"{magic}\n32 32\n{most}\n".encode() + values.astype(">u2").tobytes()


def test_sixteen_bits_in_any_container(tmp_path):
    ramp = np.tile(np.linspace(0, 1, 32), (32, 1))
    (tmp_path / "a.pgm").write_bytes(pnm("P5", ramp * 65535, 65535))
    (tmp_path / "b.pgm").write_bytes(pnm("P5", ramp * 1023, 1023))
    (tmp_path / "c.ppm").write_bytes(pnm("P6", np.repeat(ramp[..., None], 3, -1) * 65535, 65535))
    deep = Image.fromarray((ramp * 65535).astype(np.uint16))
    for name in ("d.png", "e.tif", "f.jp2"):
        deep.save(tmp_path / name)
    for path in sorted(tmp_path.iterdir()):
        assert np.abs(rgb.read_rgb(path) - ramp[..., None] * 255).max() < 2, path.name


def test_colour_spaces(tmp_path):
    picture = Image.fromarray(COLOURS)
    picture.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    picture.convert("YCbCr").save(tmp_path / "b.jpg", quality=100)
    picture.convert("CMYK").save(tmp_path / "c.tif")
    Image.fromarray(RAMP > 127).save(tmp_path / "d.png")
    for name in ("a.jpg", "b.jpg", "c.tif"):
        assert np.abs(rgb.read_rgb(tmp_path / name).astype(int) - COLOURS).mean() < 3, name
    assert np.array_equal(rgb.read_rgb(tmp_path / "d.png")[..., 0], np.where(RAMP > 127, 255, 0))


def test_what_has_no_known_white_is_refused_with_the_reason(tmp_path):
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "f.tif")
    Image.fromarray(RAMP.astype(np.int32) << 16).save(tmp_path / "i.tif")
    picture = Image.fromarray(COLOURS)
    picture.save(tmp_path / "e.eps")
    for name, said in (("f.tif", "has floats"), ("i.tif", "32-bit integers"), ("e.eps", "is a drawing")):
        with pytest.raises(UserError, match=f"{name}: .*{said}"):
            rgb.read_rgb(tmp_path / name)


def bomb(width, height, rows):
    """A PNG of many pixels in few bytes: `rows` rows of black."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 + (width + 7) // 8)) for _ in range(rows)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) + \
        chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("width, height, rows", [(14000, 13600, 13600), (9000, 9000, 9000), (1 << 30, 4, 0)])
def test_huge_pictures_are_not_decoded(tmp_path, monkeypatch, width, height, rows):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "big.png").write_bytes(bomb(width, height, rows))
    (tmp_path / "list.txt").write_text("big.png\n")
    for read in (lambda: rgb.read_rgb("big.png"), lambda: decode.read("big.png"),
                 lambda: ListFile("list.txt", 8, crop=True)):
        with pytest.raises(UserError, match="big.png.*(too large|pixels)"):
            read()


def test_long_and_thin_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (1, 60000)).save("thin.png")
    (tmp_path / "list.txt").write_text("thin.png\n")
    with pytest.raises(UserError, match="thin.png.*too long and thin"):
        ListFile("list.txt", 64, crop=True)
    with pytest.raises(UserError, match="too long and thin"):
        prepare.cover(np.zeros((1, 60000, 3), np.uint8), 64, 64)


def test_names_do_not_matter_to_a_list_and_are_counted_by_a_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    picture = Image.fromarray(COLOURS)
    for name, kind in (("a.gif", "GIF"), ("b.jfif", "JPEG"), ("c.JPE", "JPEG"), ("000017", "PNG"),
                       ("d.png", "PNG")):
        picture.save(tmp_path / "p" / name, kind)
    for name in ("notes.txt", "Thumbs.db", ".DS_Store", "._d.png"):
        (tmp_path / "p" / name).write_text("no picture")
    assert len(find_pictures(tmp_path / "p")) == 5 and make_list("p", "d/l.txt", 16) == (5, [])
    assert capsys.readouterr().err == ""
    assert len(FolderSource("p", per_class=False)) == 1
    assert "left out: 4 files of p that are pictures" in capsys.readouterr().err


def test_the_faithful_list_says_that_it_shows_what_is_hidden(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    for name, picture, options in hidden():
        if name.endswith(".png"):
            picture.save(tmp_path / "p" / name, **options)
    assert make_list("p", "l.txt", 0) == (6, [])
    assert "6 pictures have transparent parts" in capsys.readouterr().err
    source = ListFile("l.txt", 32, crop=False)
    assert "6 pictures have transparent parts" in capsys.readouterr().err
    # as TensorFlow 0.9 decoded it
    assert (source.image(source.paths.index("p/rgba.png"))[1, 8] == (255, 0, 0)).all()


def test_colours_by_name():
    assert rgb.colour("black") == (0, 0, 0) and rgb.colour("#8040ff") == (128, 64, 255)
    with pytest.raises(UserError, match="--background=whit: is no colour"):
        rgb.colour("whit")


def test_an_open_file_is_read_too():
    buffer = io.BytesIO()
    Image.fromarray(COLOURS).save(buffer, "PNG")
    assert np.array_equal(rgb.read_rgb(io.BytesIO(buffer.getvalue()), "x"), COLOURS)
