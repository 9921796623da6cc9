"""Classes, crops and mirrors of the projection paper's dog-and-cat experiments; all its configurations."""
import numpy as np
import pytest
from PIL import Image
from sngan_tiny import system

from tfgan_suite import experiment
from tfgan_suite.data.labelled import RandomCrops
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError

PAPER = {"cifar10": (10, 32), "cifar10_uncond": (0, 32), "imagenet64": (1000, 64), "imagenet128": (1000, 128),
         "imagenet128_concat": (1000, 128), "dog_and_cat64": (143, 64), "dog_and_cat128": (143, 128),
         "dog_and_cat256": (143, 256)}


@pytest.fixture
def pets(tmp_path):
    """Five classes of two images each: 40x30, their class in the first channel, places in the others."""
    y, x = np.mgrid[:30, :40].astype(np.uint8)
    for label in range(5):
        (tmp_path / f"n{label}").mkdir()
        for k in range(2):
            picture = np.stack([np.full_like(x, 50 * label + k), y, x], -1)
            Image.fromarray(picture).save(tmp_path / f"n{label}/{k}.png")
    return tmp_path


def cropping(folder, **values):
    return system("sngan_projection", dataset="imagenet", data_dir=str(folder), n_classes=3,
                  class_range="1-3",
                  augmentation=True, crop_ratio=0.9, **values)


def test_classes_are_chosen_and_numbered_anew(pets):
    tiny = cropping(pets)
    source = tiny.source()
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2] and source.classes == ("n1", "n2", "n3")
    assert source.image(0).shape == (16, 16, 3) and source.image(0)[0, 0, 0] == 50
    assert source.images([5, 0]).shape == (2, 16, 16, 3)
    with pytest.raises(UserError, match="has 3 classes, this experiment 4"):
        system("sngan_projection", dataset="imagenet", data_dir=str(pets), n_classes=4,
               class_range="1-3").source()
    with pytest.raises(UserError, match="no image of the classes 7 to 9"):
        system("sngan_projection", dataset="imagenet", data_dir=str(pets), n_classes=3,
               class_range="7-9").source()
    for text in ("3-1", "a-b", "7"):
        with pytest.raises(UserError, match="no range of classes"):
            experiment.load("digits_sngan", {"class_range": text})


def test_crops_are_a_function_of_seed_and_step(pets):
    tiny = cropping(pets)
    batches = [tiny.batch(step, tiny.source()) for step in (2, 2, 3)]
    assert batches[0]["images"].shape == (4, 2, 16, 16, 3)
    assert np.array_equal(batches[0]["images"], batches[1]["images"])
    assert not np.array_equal(batches[0]["images"], batches[2]["images"])
    labels, colours = batches[0]["labels"], batches[0]["images"][..., 0, 0, 0]
    assert np.array_equal(colours // 50, labels + 1)


def test_a_crop_by_hand():
    picture = np.arange(30 * 40, dtype=np.int64).reshape(30, 40, 1) % 251
    crops = RandomCrops(ArraySource(np.repeat(picture, 3, -1).astype(np.uint8)[None]), 27, 0.9)
    image = crops.source.image(0)
    assert np.array_equal(crops.crop(image, 0.0, 0.0, 0.7), image[:27, :27])
    assert np.array_equal(crops.crop(image, 0.999, 0.999, 0.3), image[3:, 13:][:, ::-1])
    drawn = crops.drawn(np.zeros(400, np.int64), np.random.default_rng(0))
    first = drawn[:, 0, 0, 0].astype(int)
    corners = {(y, x): int(image[y, x, 0]) for y in range(4) for x in range(14)}
    assert set(first) <= {int(v) for v in image[:4, :, 0].ravel()} and len(set(first)) > len(corners) // 2


@pytest.mark.parametrize("name", PAPER)
def test_every_configuration_of_the_paper(name):
    params = experiment.load(f"sngan_projection_{name}")
    classes, size = PAPER[name]
    assert params.n_classes == classes and params.network.endswith({128: "128"}.get(size, str(size)))
    assert (
        ("class_range" in params.text) == name.startswith("dog")
        and params.n_dis == 5
        and params.loss_type == "hinge"
    )
    assert params.iteration_decay_start in (0, params.iteration - 50000)
    if name.startswith("dog"):
        assert (params.crop_ratio, params.augmentation, params.class_range) == (0.9, True, "151-293")
