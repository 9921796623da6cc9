"""Inception scores against what the original's two score programs gave."""
import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import cache
from tfgan_suite.metrics.graph_file import GraphFile
from tfgan_suite.metrics.inception import Inception
from tfgan_suite.metrics.statistics import SplitScores

TOLERANCE = 1e-4


def graph(name: str) -> Inception:
    """A stand-in graph of the fixtures, with the real tensor names."""
    path = golden.folder("sngan") / "files" / name
    if not path.is_file():
        pytest.skip(f"{path}: no such fixture")
    return Inception(GraphFile(path, cache.sha256(path)))


def score(logits: np.ndarray, splits: int, batch: int = 64) -> tuple:
    scores = SplitScores(len(logits), splits)
    for i in range(0, len(logits), batch):
        scores.add_logits(logits[i:i + batch])
    return scores.result()


def probabilities(logits: np.ndarray) -> np.ndarray:
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def run(function, images: np.ndarray, batch: int):
    """`function` over all images, the last batch included."""
    parts = [function(images[i:i + batch]) for i in range(0, len(images), batch)]
    return np.concatenate([p[1] if isinstance(p, (tuple, list)) else p for p in parts])


@golden.each("sngan", "inception*.npz")
def test_scores_of_logits_with_uneven_splits(path):
    arrays = golden.under(golden.load(path), "scores/")
    for case in sorted({name.split("/")[0] for name in arrays}):
        for splits, expected in zip(arrays[f"{case}/splits"], arrays[f"{case}/mean_std"]):
            golden.close(score(arrays[f"{case}/logits"], int(splits)), expected, TOLERANCE,
                         f"{case}, {splits} splits")


@golden.each("sngan", "inception*.npz")
def test_old_score_uses_the_remainder(path):
    arrays = golden.load(path)
    images, sub = arrays["full/images"], arrays["old/preds"].shape[1]
    logits = run(graph("standin_classify_image_graph_def.pb").judge, images, 100)
    step = -(-logits.shape[1] // sub)
    golden.close(probabilities(logits)[:, ::step], arrays["old/preds"], TOLERANCE, "predictions")
    for splits, expected in zip(arrays["old/splits"], arrays["old/mean_std"]):
        golden.close(score(logits, int(splits)), expected, TOLERANCE, f"{splits} splits")


@golden.each("sngan", "inception*.npz")
@pytest.mark.parametrize("form", ["uint8", "float"])
def test_new_score_of_the_images_that_the_original_used(path, form):
    arrays = golden.load(path)
    images = arrays["full/images"][:len(arrays["new/preds"])]  # the original drops the last partial batch
    if form == "float":
        images = (2 * (images / 255.0 - 0.5)).astype(np.float32)
    logits = run(graph("standin_inceptionv1_for_inception_score.pb").new_logits, images, 100)
    step = -(-logits.shape[1] // arrays["new/preds"].shape[1])
    golden.close(probabilities(logits)[:, ::step], arrays["new/preds"], TOLERANCE, "predictions")
    expected = arrays["new/mean_std_float_input" if form == "float" else "new/mean_std"]
    for splits, one in zip(arrays["new/splits"], expected):
        golden.close(score(logits, int(splits)), one, TOLERANCE, f"{splits} splits")


@golden.each("sngan", "inception*.npz")
def test_resize_is_that_of_tensorflow_1(path):
    arrays = golden.load(path)
    resized = tf.raw_ops.ResizeBilinear(images=arrays["new/resize_in"], size=[299, 299]).numpy()
    golden.close(resized[:, ::13, ::11], arrays["new/resize_out_sub"], TOLERANCE)


@golden.each("sngan", "inception*.npz")
def test_results_of_an_image_do_not_depend_on_its_batch(path):
    images = golden.load(path)["full/images"]
    for function in (graph("standin_classify_image_graph_def.pb").judge,
                     graph("standin_inceptionv1_for_inception_score.pb").new_logits):
        golden.close(run(function, images, 7), run(function, images, len(images)), TOLERANCE)
        # a remainder of one image, which the original fails on
        assert run(function, images[:101], 100).shape[0] == 101
