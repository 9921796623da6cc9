"""Animations: written frame by frame, read back with their frames, colours and times."""
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.errors import UserError
from tfgan_suite.pictures import movies

COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250))


def frames(made=None):
    """Three plain frames of 9x12; each is noted in `made` when it is asked for."""
    for colour in COLOURS:
        if made is not None:
            made.append(colour)
        yield np.full((9, 12, 3), colour, np.uint8)


def test_a_gif_has_its_frames_their_time_and_no_end(tmp_path):
    assert movies.save(tmp_path / "a.gif", frames(), 120) == 3
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size, picture.info["loop"]) == (3, (12, 9), 0)
        for k, colour in enumerate(COLOURS):
            picture.seek(k)
            assert picture.info["duration"] == 120
            assert np.abs(np.asarray(picture.convert("RGB"), int) - colour).max() < 8


def test_a_broken_frame_leaves_the_older_file(tmp_path):
    movies.save(tmp_path / "a.gif", frames())
    before = (tmp_path / "a.gif").read_bytes()

    def broken():
        yield from frames()
        raise UserError("no more")

    with pytest.raises(UserError, match="no more"):
        movies.save(tmp_path / "a.gif", broken())
    assert (tmp_path / "a.gif").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_an_mp4_has_its_frames(tmp_path):
    encoder = pytest.importorskip("imageio_ffmpeg")
    assert movies.save(tmp_path / "a.mp4", frames(), 200) == 3
    reader = encoder.read_frames(str(tmp_path / "a.mp4"))
    about = next(reader)
    assert about["size"] == (12, 10) and about["fps"] == 5.0
    first = np.frombuffer(next(reader), np.uint8).reshape(10, 12, 3)
    assert np.abs(first[:8].astype(int) - COLOURS[0]).max() < 40
