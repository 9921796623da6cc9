"""LIS: splits, the stream of training images, and what is said about bad input."""
import io
import types

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.lis import data, split
from tfgan_suite.lis.data import VersionStream

NONE = -1
DIGITS = {"dataset": "digits", "dataroot": "", "lsun_class": "bedroom", "image_size": 16, "width": NONE,
          "height": NONE,
          "crop_size": NONE, "crop_width": NONE, "crop_height": NONE, "seed": 3, "trust_split": False,
          "background": "white"}


def params(**changes):
    """Stands for resolved parameters."""
    values = {**DIGITS, **changes}
    return types.SimpleNamespace(values=values, **values)


@pytest.fixture
def pictures(tmp_path):
    """A folder of 30 JPEG-like pictures of 20x16 in two classes."""
    draw = np.random.default_rng(0)
    for i in range(30):
        path = tmp_path / "set" / "ab"[i % 2] / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (16, 20, 3), np.uint8)).save(path)
    return tmp_path / "set"


def array_source(n=40, side=16):
    return ArraySource(np.random.default_rng(1).integers(0, 256, (n, side, side, 3), np.uint8))


def stream(**chosen):
    source = array_source()
    return data.LisImages(source, split.make(len(source), 4, 10), data.Sizes((16, 16)), **chosen)


# -- splits --------------------------------------------------------------------------------------------------
def test_split_is_one_permutation_and_running_a_part_of_final():
    parts = split.make(50, 5, 12, seed=1)
    np.testing.assert_array_equal(parts.running_test, parts.final_test[:5])
    np.testing.assert_array_equal(np.sort(np.concatenate([parts.final_test, parts.train])), np.arange(50))
    assert not np.array_equal(parts.train, split.make(50, 5, 12, seed=2).train)


@pytest.mark.parametrize("running, final, text", [(0, 5, "at least one"), (6, 5, "trained on"),
                                                  (3, 50, "left to train on")])
def test_impossible_splits(running, final, text):
    with pytest.raises(UserError, match=text):
        split.make(50, running, final)


def test_split_file_is_written_and_used(pictures):
    path, parts = data.make_split("folder", str(pictures), running=3, final=8, seed=4)
    assert path == pictures / "data_index.npz"
    found = data.open_images(params(dataset="folder", dataroot=str(pictures), crop_size=12, image_size=8),
                             flip=True)
    np.testing.assert_array_equal(found.split.train, parts.train)
    assert len(found) == 22 and found.test().shape == (3, 8, 8,
                                                       3) and found.test("final_test").shape == (8, 8, 8, 3)


def test_no_split_yet_says_the_command(pictures):
    with pytest.raises(UserError, match=f"tools/datasets.py split --dataset=folder --dataroot={pictures}"):
        data.open_images(params(dataset="folder", dataroot=str(pictures)), flip=False)


def test_split_of_another_data_set(pictures, tmp_path):
    data.make_split("folder", str(pictures), running=3, final=8)
    with pytest.raises(UserError, match="was made for folder with 30 images, not for lfw with 30"):
        data.open_images(params(dataset="lfw", dataroot=str(pictures)), flip=False)
    (pictures / "a" / "00.png").rename(pictures / "a" / "zz.png")
    with pytest.raises(UserError, match="files of other names"):
        data.open_images(params(dataset="folder", dataroot=str(pictures)), flip=False)
    (pictures / "a" / "zz.png").unlink()
    with pytest.raises(UserError, match="with 30 images, not for folder with 29"):
        data.open_images(params(dataset="folder", dataroot=str(pictures)), flip=False)


def test_damaged_split(pictures):
    (pictures / "data_index.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(UserError, match="cannot be read.*make it anew"):
        data.open_images(params(dataset="folder", dataroot=str(pictures)), flip=False)


def test_split_of_the_original_of_another_size(tmp_path):
    from golden_files import folder

    path = folder("lis") / "files" / "data_index.pt"
    if not path.is_file():
        pytest.skip("no data_index.pt in the fixtures")
    (tmp_path / "data_index.pt").write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="another data set"):
        split.read(tmp_path, "folder", array_source(7), "again")


def test_split_of_the_original_for_images_in_folders_needs_trust(pictures, monkeypatch):
    numbers = np.arange(30)
    found = {"running_test": numbers[:3], "final_test": numbers[:8], "train": numbers[8:]}
    (pictures / "data_index.pt").write_bytes(b"")
    monkeypatch.setattr(split.torch, "load", lambda path: found)
    with pytest.raises(UserError, match="sorted by name.*--trust_split"):
        data.open_images(params(dataset="folder", dataroot=str(pictures)))
    images = data.open_images(params(dataset="folder", dataroot=str(pictures), trust_split=True))
    np.testing.assert_array_equal(images.split.train, numbers[8:])


def test_a_split_is_not_overwritten_without_a_word(pictures):
    data.make_split("folder", str(pictures), running=3, final=8)
    first = (pictures / "data_index.npz").read_bytes()
    with pytest.raises(UserError, match="is there already.*--overwrite"):
        data.make_split("folder", str(pictures), running=3, final=8, seed=1)
    assert (pictures / "data_index.npz").read_bytes() == first
    data.make_split("folder", str(pictures), running=3, final=8, seed=1, overwrite=True)
    assert (pictures / "data_index.npz").read_bytes() != first


def test_nothing_to_split(tmp_path):
    with pytest.raises(UserError, match="dataroot"):
        data.make_split("folder", "")
    with pytest.raises(UserError, match="no such folder"):
        data.make_split("folder", str(tmp_path / "no"))
    with pytest.raises(UserError, match="unknown"):
        data.make_split("mnist", str(tmp_path))


# -- sizes ---------------------------------------------------------------------------------------------------
def test_sizes_from_flags():
    assert data.sizes(params(image_size=32)).image == (32, 32)
    both = data.sizes(params(image_size=32, width=24, height=16, crop_width=6, crop_height=4))
    assert both == data.Sizes((16, 24), (4, 6))
    with pytest.raises(UserError, match="no size is given"):
        data.sizes(params(image_size=NONE, width=8))


def test_rectangles_are_cropped_and_resized_to_the_size_that_is_asked_for():
    """Both crash or do something else in the original."""
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(data.prepare(image, 6, 10, (6, 10)), image[7:13, 10:20])
    expected = Image.fromarray(image[4:16, 5:25]).resize((10, 8), Image.BILINEAR)
    np.testing.assert_array_equal(data.prepare(image, 8, 10, (12, 20)), expected)


def test_images_directly_in_the_folder_count_too(pictures):
    """The original finds those in class folders only."""
    Image.fromarray(np.zeros((16, 20, 3), np.uint8)).save(pictures / "loose.png")
    assert len(data.open_dataset("folder", str(pictures))) == 31


def test_crop_larger_than_an_image_names_the_file(pictures):
    data.make_split("folder", str(pictures), running=3, final=8)
    with pytest.raises(UserError, match="00.png.*20x16 is smaller than the crop of 18x18"):
        data.open_images(params(dataset="folder", dataroot=str(pictures), crop_size=18), flip=False)
    Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(pictures / "b" / "29.png")
    with pytest.raises(UserError, match="29.png.*20x10 is smaller"):
        data.open_images(params(dataset="folder", dataroot=str(pictures), crop_size=16)).batch(0, 1)


# -- the stream ----------------------------------------------------------------------------------------------
def test_every_image_comes_once_in_an_epoch():
    images = stream()
    n = len(images)
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(images.keys(epoch * n, n)), np.arange(n))
    assert not np.array_equal(images.keys(0, n), images.keys(n, n))


@pytest.mark.parametrize("cache", [(0, 1, 0.1), (25, 2, 0.3), (1000, 3, 0.1)])
def test_a_batch_is_a_function_of_seed_and_place(cache):
    chosen = {"flip": True, "augment": "10kcats", "cache": cache}
    through, again, other = stream(**chosen), stream(**chosen), stream(**chosen, seed=1)
    batches = [through.batch(i * 8, 8) for i in range(20)]
    np.testing.assert_array_equal(again.batch(19 * 8, 8), batches[19])  # as a resumed run asks for it
    np.testing.assert_array_equal(again.batch(5 * 8, 8), batches[5])
    np.testing.assert_array_equal(np.concatenate([again.batch(40, 3), again.batch(43, 5)]), batches[5])
    assert not np.array_equal(other.batch(0, 8), batches[0])
    assert batches[0].dtype == np.float32
    assert min(b.min() for b in batches) >= 0 and max(b.max() for b in batches) <= 1


def test_cached_versions_come_again_and_are_replaced():
    keys = lambda start, count: np.arange(start, start + count) % 10  # noqa: E731
    versions = VersionStream(0, keys, total=1000, lists=2, p_drop=0.2).versions(0, 2000).reshape(-1, 10)
    for column in versions.T:
        fresh = np.mean(column == np.arange(len(column)) * 10 + column[0])
        assert 0.12 < fresh < 0.3  # p_drop, and the first look-ups
    assert max(len(set(column[i:i + 5])) for column in versions.T for i in range(150)) > 1
    full = VersionStream(0, keys, total=3, lists=1, p_drop=0.0).versions(0, 100)
    assert set(full[10:13]) == {0, 1, 2} and full[15] == 15


def test_half_of_the_images_are_flipped():
    images = stream(flip=True)
    keys, batch = images.keys(0, 300), images.batch(0, 300)
    plain = images.images(keys)
    flipped = np.array([np.array_equal(b, p[:, ::-1] / np.float32(255)) for b, p in zip(batch, plain)])
    same = np.array([np.array_equal(b, p / np.float32(255)) for b, p in zip(batch, plain)])
    assert (flipped ^ same).all() and 0.4 < flipped.mean() < 0.6


def test_test_images_are_neither_flipped_nor_augmented():
    images = stream(flip=True, augment="cifar10")
    np.testing.assert_array_equal(images.test(),
                                  images.all.images(images.split.running_test) / np.float32(255))


def test_the_first_images_are_those_that_d_sees_and_leave_the_stream_alone():
    chosen = {"flip": True, "augment": "cifar10", "cache": (25, 2, 0.3)}
    images, fresh = stream(**chosen), stream(**chosen)
    batch = fresh.batch(0, 12)
    np.testing.assert_array_equal(images.first(12) / np.float32(255), batch)
    assert not np.array_equal(images.first(12), images.images(images.keys(0, 12)))
    images.batch(0, 8)
    images.first(5)
    np.testing.assert_array_equal(images.batch(8, 4), batch[8:])


def test_a_few_images_do_not_decode_the_others():
    class Counting(ArraySource):
        asked = 0

        def image(self, index):
            self.asked += 1
            return super().image(index)

    source = Counting(array_source().array)
    images = data.LisImages(source, split.make(40, 4, 10), data.Sizes((16, 16)), augment="cifar10")
    assert images.test().shape[0] == 4 and images.first(3).shape[0] == 3
    assert source.asked == 1 + 4 + 3  # one tells the size
    images.batch(0, 2)
    assert source.asked > 40


def test_digits_need_no_split_file():
    images = data.open_images(params(), flip=True)
    assert len(images) == 1597 and images.test("final_test").shape == (200, 16, 16, 3)
    assert len(images.labels) == len(images)


def test_unknown_augmentation():
    with pytest.raises(UserError, match="augment=birds"):
        stream(augment="birds")


def test_split_command_of_the_tool(pictures, capsys):
    import runpy
    from pathlib import Path

    tool = Path(__file__).parents[2] / "tools" / "datasets.py"
    runpy.run_path(str(tool))["main"](["split", f"--dataroot={pictures}", "--running=3", "--final=8"])
    assert "22 images to train on" in capsys.readouterr().out
    with np.load(io.BytesIO((pictures / "data_index.npz").read_bytes())) as file:
        assert len(file["train"]) == 22
