"""VGG16 (Simonyan and Zisserman, ICLR 2015) with torchvision's weights, as feature_extractor.py of
alenmora/ppgan uses it."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_suite.data.folder import read_rgb
from tfgan_suite.errors import UserError
from tfgan_suite.files import torch

ADDRESS = "https://download.pytorch.org/models/vgg16-397923af.pth"
PLACE = Path.home() / ".cache/torch/hub/checkpoints/vgg16-397923af.pth"
POOLED = (2, 7, 14, 21, 28)  # convolutions that are followed by a pooling: features.2, .7, ...
SIDE = 224


def read_weights(path=None) -> dict[str, np.ndarray]:
    """torchvision's state dict.

    Raises:
        UserError: missing (says where to get it), or another file.
    """
    path = Path(path or PLACE)
    if not path.is_file():
        raise UserError(f"{path}: not there; fetch {ADDRESS} to that place, or give --weights=FILE")
    weights = torch.arrays_of(torch.load(path), path, f"fetch {ADDRESS}")
    if "features.0.weight" not in weights or "classifier.6.bias" not in weights:
        raise UserError(f"{path}: is no state dict of torchvision's VGG16; fetch {ADDRESS}")
    return weights


def preprocess(path) -> np.ndarray:
    """A picture file as float32 [1, 224, 224, 3] in [0, 1]: bicubic resize, pixels not normalised further (as
    the original)."""
    picture = Image.fromarray(read_rgb(path)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32)[None] / np.float32(255)


def logits(weights: dict, x: np.ndarray) -> np.ndarray:
    """The 1000 class scores before the softmax, float32 [n, 1000].

    Args:
        x: [n, 224, 224, 3].
    """
    h = tf.constant(x)
    numbers = sorted(int(name.split(".")[1]) for name in weights if name.startswith("features.")
                     and name.endswith("weight"))
    for number in numbers:
        kernel = np.transpose(weights[f"features.{number}.weight"], (2, 3, 1, 0))
        h = tf.nn.relu(tf.nn.conv2d(h, kernel, 1, "SAME") + weights[f"features.{number}.bias"])
        if number in POOLED:
            h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    h = tf.reshape(tf.transpose(h, [0, 3, 1, 2]), [len(x), -1])
    for number in (0, 3, 6):
        h = tf.matmul(h, weights[f"classifier.{number}.weight"].T) + weights[f"classifier.{number}.bias"]
        h = tf.nn.relu(h) if number < 6 else h
    return h.numpy()
