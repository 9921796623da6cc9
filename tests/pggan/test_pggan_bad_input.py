"""What `train.py` says to unusable flags, folders and snapshots of PGGAN: one line that names them, exit
status 2."""
import numpy as np
import pytest
from pggan_support import SMALL, make_params
from PIL import Image
from tiny import run as start
from tiny import verb

from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.pggan.networks import Generator, Sizes

FLAGS = [f"--{name}={value}" for name, value in SMALL.items() if name != "data_path"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Sets of images: 'empty', 'few' (three of 16x16), 'small' (four of 8x8); and a generator of at most four
    channels."""
    monkeypatch.chdir(tmp_path)
    for name, count, side in (("empty", 0, 0), ("few", 3, 16), ("small", 4, 8)):
        (tmp_path / name / "class").mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / name / "class" / f"{i}.png")
    other = Generator(Sizes.of(make_params(**{**SMALL, "fmapMax": 4})))
    archive.write(tmp_path / "iter_3.gmodel.npz", other.arrays())
    return tmp_path


@pytest.mark.parametrize("flags, words", [
    (["--endRes=48"], ["endRes=48", "power of two"]),
    (["--endRes=2048"], ["endRes=2048", "largest"]),
    (["--data_path=small"], ["endRes=16 is above the images of small", "smaller --endRes"]),
    (["--stdDevGroup=3"], ["stdDevGroup=3 does not divide the batch 4", "change"]),
    (["--data_path=empty"], ["empty", "no images", "data_path"]),
    (["--data_path=nowhere"], ["nowhere", "no such folder", "data_path"]),
    (["--data_path=few"], ["few: has 3 images, fewer than a batch of 4", "batch_table"]),
    (["--preWtsFile=iter_3.gmodel.npz"], ["iter_3.gmodel.npz", "shape"]),
    (["--preWtsFile=gone.pth.tar"], ["gone.pth.tar", "no such file"]),
    (["--resumeTraining=8,12"], ["resumeTraining", "preWtsFile"]),
    (["--resumeTraining=64,12", "--preWtsFile=iter_3.gmodel.npz"], ["resumeTraining=64,12", "from 4 to 16"]),
    (["--resumeTraining=8,4", "--preWtsFile=8x8.pth.tar"], ["resumeTraining=8,4", "at least the 12"]),
    (["--resumeTraining=8,21", "--preWtsFile=iter_3.gmodel.npz"],
     ["resumeTraining=8,21", "more than the 20"]),
    (["--fmapBase=2"], ["fmapBase=2", "no channels", "raise fmapBase"]),
    (["--penalty=js", "--criticLossFunc=BEGAN"], ["penalty=js", "criticLossFunc=BEGAN", "--penalty=none"]),
    (["--samplesWhileStabel=5"], ["samplesWhileStabel", "samplesWhileStable"]),
], ids=lambda value: value[0].lstrip("-") if value[0].startswith("--") else "")
def test_one_line(place, flags, words):
    """Names the flag or the file, what is wrong with it, what to do; nothing has been written."""
    with pytest.raises(UserError) as error:
        verb("train.py")(["pggan_faces64", *FLAGS, "--data_path=digits", *flags])
    line = str(error.value)
    assert "\n" not in line and all(word in line for word in words), line
    assert error.value.status == 2 and not list(place.glob("models/**/*.npz"))


def test_exit_status(place):
    """The same in a process of its own."""
    result = start("train.py", "pggan_faces64", *FLAGS, "--stdDevGroup=3", cwd=place)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("train.py: stdDevGroup=3 does not "
                                                                       "divide")
