"""The judges of the `digits*` experiments: a small classifier of scikit-learn's digits, a support vector
machine (`digits_svc`), and the scores that they give.

`digits_is` is the Inception Score (Salimans et al. 2016) and `digits_fid` the Frechet distance (Heusel et al.
2017) with this classifier in Inception's place; `digits_svc_is` is the first with the machine in its place.
The classifier is trained once, in seconds, with a fixed seed and split, and kept in the cache folder.
"""
from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache as once

import numpy as np
import tensorflow as tf

from tfgan_suite.data import digits
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive
from tfgan_suite.metrics import cache, distances
from tfgan_suite.metrics.registry import Evaluation, metric
from tfgan_suite.metrics.statistics import Moments, SplitScores

SIDE = 16  # twice the scans: enough to see a broken stroke, and small enough to be quick
TEST = 360  # images held out from training
SEED = 2019
EPOCHS = 60
RECIPE = f"conv32-conv64-dense64 side{SIDE} test{TEST} seed{SEED} epochs{EPOCHS} v1"
LEAST_ACCURACY = 0.97
TINY = 1e-30  # a probability whose logarithm is taken


def _resize_matrix(size: int, side: int) -> np.ndarray:
    """float32 [side, size]: linear interpolation between pixel centres; when it shrinks, the triangle covers
    all pixels."""
    scale = size / side
    centres = (np.arange(side) + 0.5) * scale - 0.5
    distance = np.abs(centres[:, None] - np.arange(size)) / max(scale, 1.0)
    weights = np.maximum(1.0 - distance, 0.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def prepare(images: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Images of any size in a judge's form.

    Args:
        images: [n, H, W, C] uint8, or float in [-1, 1].
        side: of the result.

    Returns:
        float32 [n, side, side, 1] in [0, 1]: the mean of the channels, resized by the separable triangle
        kernel with pixel centres at half-integers (what has that side stays as it is).
    """
    x = np.asarray(images)
    grey = x.astype(np.float32).mean(axis=-1)
    grey = grey / np.float32(255) if x.dtype == np.uint8 else grey * np.float32(0.5) + np.float32(0.5)
    rows, columns = _resize_matrix(x.shape[1], side), _resize_matrix(x.shape[2], side)
    return np.einsum("ih,nhw,jw->nij", rows, grey, columns, optimize=True)[..., None]


class Classifier:
    """A small Keras network: two convolutions and two dense layers. The 64 activations before the last are
    the features."""

    def __init__(self):
        def seeded(i):
            return {"kernel_initializer": tf.keras.initializers.GlorotUniform(seed=SEED + i),
                    "dtype": "float32"}

        pool = tf.keras.layers.MaxPool2D
        body = tf.keras.Sequential([
            tf.keras.layers.InputLayer([SIDE, SIDE, 1], dtype="float32"),
            tf.keras.layers.Conv2D(32, 3, padding="same", activation="relu", **seeded(1)),
            pool(dtype="float32"),
            tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu", **seeded(2)),
            pool(dtype="float32"),
            tf.keras.layers.Flatten(dtype="float32"),
            tf.keras.layers.Dense(64, activation="relu", **seeded(3)),
        ])
        logits = tf.keras.layers.Dense(len(digits.CLASSES), **seeded(4))(body.output)
        self.network = tf.keras.Model(body.input, [body.output, logits])
        self.outputs = tf.function(self.network,
                                   input_signature=[tf.TensorSpec([None, SIDE, SIDE, 1], tf.float32)])

    def __call__(self, images: np.ndarray, batch: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Features [n, 64] and logits [n, 10] of images as `prepare` takes them."""
        parts = [self.outputs(prepare(images[i:i + batch])) for i in range(0, len(images), batch)]
        return tuple(np.concatenate([part[k].numpy() for part in parts]) for k in (0, 1))


def split() -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the test digits: a fixed permutation."""
    order = np.random.default_rng(SEED).permutation(digits.COUNT)
    return order[TEST:], order[:TEST]


def _training_set(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """The training digits as seen at three sizes, one after the other, so that a system's resolution does
    not matter to the judge: [3 n, side, side, 1] and labels [3 n]."""
    chosen = split()[0]
    seen = [digits.arrays(size) for size in (8, 16, 32)]
    images = np.concatenate([prepare(x[chosen], side) for x, _ in seen])
    return images, np.concatenate([y[chosen] for _, y in seen])


def _shifted(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each image moved by -1, 0 or 1 pixel each way; dark comes in."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    dy, dx = generator.integers(0, 3, (2, len(x)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))[:, :, :, 0]
    return windows[np.arange(len(x)), dy, dx][..., None]


def train() -> Classifier:
    """A new classifier, trained for some seconds. Uses none of TensorFlow's or NumPy's global generators."""
    x, y = _training_set()
    generator = np.random.default_rng(SEED)
    classifier = Classifier()
    batch, count = 96, len(x) // 3  # an epoch shows each digit once, at one of its sizes
    variables = classifier.network.trainable_variables
    optimizer = tf.keras.optimizers.Adam(1e-3)
    optimizer.build(variables)

    @tf.function
    def step(x, y, rate):
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            _, logits = classifier.network(x)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    for epoch in range(EPOCHS):
        rate = 1e-3 if epoch < EPOCHS * 2 // 3 else 2e-4
        order = generator.permutation(len(x))[:count]
        pictures = _shifted(x[order], generator)
        for i in range(0, count - batch + 1, batch):
            step(tf.constant(pictures[i:i + batch]), tf.constant(y[order[i:i + batch]]), tf.constant(rate))
    return classifier


def accuracy(classifier: Classifier) -> float:
    """Share of the held-out digits, at the classifier's own size, that it names correctly."""
    pictures, labels = digits.arrays(SIDE)
    test = split()[1]
    return float(np.mean(classifier(pictures[test])[1].argmax(axis=1) == labels[test]))


@once
def classifier() -> Classifier:
    """The classifier of this machine: from the cache folder, or trained now and put there."""
    path = cache.folder() / f"digits-classifier-{cache.key(RECIPE)}.npz"
    if path.is_file():
        model = _load(path)
        if model is not None:
            return model
    model = train()
    reached = accuracy(model)
    if reached < LEAST_ACCURACY:
        raise RuntimeError(f"the digits classifier reached a test accuracy of {reached:.4f} only")
    with contextlib.suppress(UserError):  # a cache that cannot be written costs nothing but time
        cache.write(path, ((f"{i:02d}", v.numpy()) for i, v in enumerate(model.network.weights)))
    return model


def _load(path) -> Classifier | None:
    """The cached classifier, or None if the file is damaged (it is then made again)."""
    model = Classifier()
    try:
        file = archive.Archive(path)
        values = [file[name] for name in sorted(file)]
    except UserError:
        return None
    if [v.shape for v in values] != [tuple(w.shape) for w in model.network.weights]:
        return None
    model.network.set_weights(values)
    return model


@once
def second_judge() -> Callable[[np.ndarray], np.ndarray]:
    """The support vector machine (`digits_svc`) as a function from images, as `prepare` takes them, to
    probabilities [n, 10]."""
    from tfgan_suite.metrics import digits_svc  # scikit-learn takes a second to import

    images, labels = _training_set(digits_svc.SIDE)
    machine = digits_svc.Machine(images, labels, np.arange(len(images)) % len(split()[0]))
    return lambda images: machine(prepare(images, digits_svc.SIDE))


class Tally:
    """What the two judges say of a stream of images: scores per split, moments of the classifier's features,
    counts of its classes."""

    def __init__(self, n: int, splits: int):
        self.scores, self.moments = SplitScores(n, splits), Moments()
        self.second = SplitScores(n, splits)
        self.counts = np.zeros(len(digits.CLASSES), np.int64)
        self.asked = self.agreed = 0

    def add(self, images: np.ndarray, labels=None) -> None:
        """Images as `prepare` takes them, and the labels that were asked for, if any."""
        features, logits = classifier()(images)
        self.scores.add_logits(logits)
        odds = second_judge()(images)
        self.second.add(odds, np.log(np.maximum(odds, TINY)))
        self.moments.add(features)
        named = logits.argmax(axis=1)
        self.counts += np.bincount(named, minlength=len(self.counts))
        if labels is not None:
            self.asked += len(labels)
            self.agreed += int(np.sum(named == np.asarray(labels)))

    def shares(self) -> dict[str, float]:
        """Share of each class."""
        return {f"digits_share_{c}": float(k / self.counts.sum()) for c,
                k in zip(digits.CLASSES, self.counts)}


@once
def _reference(height: int, width: int, splits: int) -> Tally:
    """The real digits through the same classifier, at the samples' size if they are square."""
    pictures, labels = digits.arrays(height if height == width else SIDE)
    tally = Tally(digits.COUNT, splits)
    tally.add(pictures, labels)
    return tally


def _second(tally: Tally, real: Tally) -> dict[str, float]:
    """The score by the second judge."""
    (mean, deviation), (real_mean, _) = tally.second.result(), real.second.result()
    return {"digits_svc_is": mean, "digits_svc_is_std": deviation, "digits_svc_is_real": real_mean,
            "digits_svc_is_ratio": mean / real_mean}


@metric("digits", "splits")
def digits_metrics(evaluation: Evaluation) -> dict[str, float]:
    """`digits_is` (mean and deviation over the splits), `digits_svc_is`, the same score by the second judge,
    `digits_fid` against all real digits, the share of each class, and `digits_agreement`, the share of
    samples that are classified as the label asked for; and the real digits' own scores.
    """
    samples, splits = evaluation.samples, evaluation.splits
    tally = Tally(len(samples), splits)
    for pictures, labels in evaluation.watched(samples, "samples, digits"):
        tally.add(pictures, labels if evaluation.system else None)  # nobody asked for a folder's labels
    real = _reference(*pictures.shape[1:3], splits)
    evaluation.protocol["digits_classifier"] = cache.key(RECIPE)[:8]
    mean, deviation = tally.scores.result()
    real_mean, real_deviation = real.scores.result()
    result = {"digits_is": mean, "digits_is_std": deviation, "digits_is_real": real_mean,
              "digits_is_real_std": real_deviation,
              "digits_is_ratio": mean / real_mean, **_second(tally, real),
              "digits_fid": distances.frechet(real.moments, tally.moments),
              **tally.shares(), "digits_least_share": min(tally.shares().values())}
    if tally.asked:
        result["digits_agreement"] = tally.agreed / tally.asked
        result["digits_agreement_real"] = real.agreed / real.asked
    return result
