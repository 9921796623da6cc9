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


@pytest.fixture(params=movies.ENCODERS)
def encoder(request, monkeypatch):
    """Each package that writes MP4, as if it alone were installed."""
    pytest.importorskip(request.param)
    find, others = movies.importlib.util.find_spec, set(movies.ENCODERS) - {request.param}
    monkeypatch.setattr(movies.importlib.util, "find_spec",
                        lambda name: None if name in others else find(name))
    assert movies.encoder() == request.param and movies.endings() == (".mp4", ".gif")
    return request.param


def read(path, encoder) -> tuple[list, float]:
    """(frames [H, W, 3], frames a second) of a film, by the package that wrote it."""
    if encoder == "av":
        import av

        with av.open(str(path)) as film:
            pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
            return pictures, float(film.streams.video[0].average_rate)
    import imageio_ffmpeg

    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about["size"]
    return [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader], about["fps"]


def test_an_mp4_has_its_frames(tmp_path, encoder):
    assert movies.save(tmp_path / "a.mp4", frames(), 200) == 3
    pictures, rate = read(tmp_path / "a.mp4", encoder)
    assert rate == 5.0 and [picture.shape for picture in pictures] == [(10, 12, 3)] * 3
    for picture, colour in zip(pictures, COLOURS):
        assert np.abs(picture[:8].astype(int) - colour).max() < 40


def test_without_an_encoder_an_mp4_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(movies.importlib.util, "find_spec", lambda name: None)
    assert movies.endings() == (".gif",)
    with pytest.raises(UserError, match="a.mp4: MP4 needs the package imageio-ffmpeg or av; install one"):
        movies.save(tmp_path / "a.mp4", frames())
