"""The reconstruction test as a metric, for LIS and for any generator of a code alone."""
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from lis_support import parameters

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.lis.system import SYSTEMS
from tfgan_suite.metrics import registry
from tfgan_suite.metrics.reconstruction import Search
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.system import System


class Linear(tf.keras.Model):
    """Codes of 12 numbers are images of 2x2."""

    def call(self, z, labels=None, training=False):
        return tf.reshape(z, [-1, 2, 2, 3])


class Tiny(System):
    """A system with that generator."""

    def __init__(self, classes=0):
        super().__init__(SimpleNamespace(name="tiny"))
        self.networks, self.classes = {"g": Linear()}, classes

    def latents(self, n, seed):
        return np.zeros((n, 12))


def test_any_generator_of_a_code_alone():
    images = np.random.default_rng(0).integers(90, 160, (6, 2, 2, 3)).astype(np.uint8)
    evaluation = Evaluation(range(5000), reals=lambda: ArraySource(images), system=Tiny())
    loss = registry.find(["reconstruction"], None)["reconstruction"](evaluation)["reconstruction"]
    assert loss < np.mean((images / 255 - 0.5) ** 2)


def test_generators_that_need_more_and_folders():
    made = Evaluation(range(9), reals=lambda: ArraySource(np.zeros((6, 2, 2, 3), np.uint8)),
                      system=Tiny(classes=3))
    with pytest.raises(UserError, match="needs a label beside the code, and array has none"):
        registry.find(["reconstruction"])["reconstruction"](made)
    with pytest.raises(UserError, match="experiment"):
        registry.find(["reconstruction"])["reconstruction"](Evaluation(range(5)))


def test_targets_in_reach_are_found():
    targets = np.full((3, 2, 2, 3), 0.55, np.float32)
    codes, images, loss = Search(Tiny().decode, 12, rate=0.01, steps=60, batch=2)(targets)
    assert codes.shape == (3, 12)
    assert images.shape == targets.shape
    assert loss < 1e-4


class Coloured(Linear):
    """The class decides the picture, the code only a little."""

    def call(self, z, labels=None, training=False):
        return tf.reshape(labels @ tf.constant([[-0.8], [0.0], [0.8]]) + 0.01 * z, [-1, 2, 2, 3])


def test_a_conditional_system_gets_the_targets_labels():
    grey = np.array([0.1, 0.5, 0.9])[np.array([2, 0, 1, 2, 1, 0])]
    images = np.broadcast_to((grey * 255)[:, None, None, None], (6, 2, 2, 3)).astype(np.uint8)

    def loss(labels):
        system = Tiny(classes=3)
        system.networks["g"] = Coloured()
        made = Evaluation(range(6), reals=lambda: ArraySource(images, labels), system=system)
        return registry.find(["reconstruction"])["reconstruction"](made)["reconstruction"]

    assert loss([2, 0, 1, 2, 1, 0]) < 1e-3 < 0.1 < loss([0, 2, 1, 0, 1, 2])


def test_of_a_lis_system_on_its_test_images(tmp_path):
    system = SYSTEMS["glis"](parameters("glis", tmp_path))
    evaluation = Evaluation(range(7), reals=system.source, system=system)
    found = registry.find(["reconstruction"], system)["reconstruction"](evaluation)
    assert 0 < found["reconstruction"] < 1
    with pytest.raises(UserError, match="--reals"):
        registry.find(["reconstruction"], system)["reconstruction"](
            Evaluation(range(7), reals=lambda: ArraySource(np.zeros((3, 8, 8, 3), np.uint8)),
                       system=system))
