"""ImageNet's preparation and layouts, on a few pictures."""
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import imagenet
from tfgan_suite.errors import UserError

from .pictures import encoded, picture


@pytest.fixture
def raw(tmp_path):
    for seed, (name, size) in enumerate((("n02/b.JPEG", (40, 60)), ("n01/a.JPEG", (60, 40)),
                                         ("n01/small.png", (20, 90)))):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        picture(size=size, seed=seed).save(tmp_path / "raw" / name)
    (tmp_path / "raw/n02/broken.JPEG").write_bytes(b"no picture")
    return tmp_path / "raw"


@pytest.mark.parametrize("mode, count", [("crop", 3), ("original", 3), ("authors", 2)])
def test_preparation(raw, tmp_path, mode, count):
    good, bad = imagenet.convert(raw, tmp_path / "out", mode, 32)
    assert good == count and len(bad) == 4 - count and "broken.JPEG" in bad[-1]
    lines = (tmp_path / "out/image_list.txt").read_text().splitlines()
    assert lines[0] == "n01/a.JPEG 0" and lines[-1] == "n02/b.JPEG 1"
    assert (tmp_path / "out/bad_images.txt").read_text().count("\n") == len(bad)
    source = imagenet.open_source(tmp_path / "out", 32)
    assert source.images(range(count)).shape == (count, 32, 32, 3) and source.labels.tolist()[-1] == 1


def test_preparation_goes_on_where_it_stopped(raw, tmp_path):
    imagenet.convert(raw, tmp_path / "out", "crop", 16)
    kept = (tmp_path / "out/n01/a.JPEG").stat().st_mtime_ns
    (tmp_path / "out/n02/b.JPEG").unlink()
    assert imagenet.convert(raw, tmp_path / "out", "crop", 16)[0] == 3
    assert (tmp_path / "out/n01/a.JPEG").stat().st_mtime_ns == kept


def test_original_mode_stretches_contrast(raw, tmp_path):
    Image.fromarray(np.linspace(100, 140, 64 * 64).reshape(64,
                                                           64).astype(np.uint8)).save(raw / "n01/grey.png")
    imagenet.convert(raw, tmp_path / "out", "original", 32)
    stretched = np.asarray(Image.open(tmp_path / "out/n01/grey.JPEG"))
    assert stretched.shape == (32, 32, 3) and np.ptp(stretched) > 220


def test_original_layout(raw, tmp_path):
    imagenet.convert(raw, tmp_path / "set/resized_16", "crop", 16)
    (tmp_path / "set/caffe_ilsvrc12").mkdir()
    (tmp_path / "set/caffe_ilsvrc12/train.txt").write_text("n02/b.JPEG 9\nn01/a.JPEG 4\n")
    source = imagenet.open_source(tmp_path / "set", 16)
    assert (
        source.labels.tolist() == [9, 4]
        and len(source.classes) == 10
        and source.image(0).shape == (16, 16, 3)
    )


def test_list_of_names(raw, tmp_path):
    """The original trains on the images of `filenames.txt`, in that order, with the labels of `train.txt`."""
    imagenet.convert(raw, tmp_path / "set/resized_16", "crop", 16)
    (tmp_path / "set/caffe_ilsvrc12").mkdir()
    (tmp_path / "set/caffe_ilsvrc12/train.txt").write_text("n02/b.JPEG 9\nn01/a.JPEG 4\nn01/small.JPEG 4\n")
    (tmp_path / "set/filenames.txt").write_text("n01/small.JPEG\nn02/b.JPEG\n")
    source = imagenet.open_source(tmp_path / "set", 16)
    assert source.labels.tolist() == [4, 9] and len(source.classes) == 10
    assert source.describe(0).endswith("small.JPEG")
    (tmp_path / "set/filenames.txt").write_text("n03/c.JPEG\n")
    with pytest.raises(UserError, match="filenames.txt: lists n03/c.JPEG, which has no label"):
        imagenet.open_source(tmp_path / "set", 16)


def test_bad_input(raw, tmp_path):
    with pytest.raises(UserError,
                       match="no such folder; get it from https.*tools/datasets.py imagenet SOURCE"):
        imagenet.open_source(tmp_path / "none", 16)
    with pytest.raises(UserError, match="lies inside"):
        imagenet.convert(raw, raw / "out")
    (raw / "n01/a.png").write_bytes(encoded())
    with pytest.raises(UserError, match="two images would become n01/a.JPEG"):
        imagenet.convert(raw, tmp_path / "out")
    for text, problem in (("n01/a.JPEG", "line 1 is not"), ("n01/a.JPEG x\n", "line 1 is not"),
                          ("no.png 3", "another folder")):
        (raw / "image_list.txt").write_text(text)
        with pytest.raises(UserError, match=problem):
            imagenet.open_source(raw, 16)
