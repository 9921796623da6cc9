"""KID and the sliced Wasserstein distance: by tensorflow-gan where it is installed, else by
`distances`.

This is the only module that imports tensorflow-gan.
"""
from __future__ import annotations

import contextlib
import importlib.util

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import distances
from tfgan_suite.metrics.features import FeatureFile

INSTALLED = importlib.util.find_spec("tensorflow_gan") is not None


def computed_by() -> str:
    """What computes the distances; results say it."""
    return "tensorflow-gan" if INSTALLED else "numpy"


def _kernel_block(x: np.ndarray, y: np.ndarray) -> float:
    if not INSTALLED:
        return distances.kernel_block(x, y)
    from tensorflow_gan.python.eval import classifier_metrics

    with _quiet():
        return float(classifier_metrics.kernel_classifier_distance_from_activations(
            tf.constant(x), tf.constant(y), max_block_size=max(len(x), len(y))))


def kernel(a: FeatureFile, b: FeatureFile, block: int = 1024) -> tuple[float, float]:
    """The unbiased squared MMD with kernel (x.y / d + 1)^3, and its standard error over the blocks (Binkowski
    et al. 2018);
    one block has none: NaN.

    It is `tfgan.eval.kernel_classifier_distance_and_std_from_activations` in float64, called for one pair of
    blocks at a time, so that the features never are in memory together. Both must be in random order.

    Raises:
        UserError: too few samples for the blocks.
    """
    blocks = -(-max(a.n, b.n) // block)
    if min(a.n, b.n) < 2 * blocks:
        raise UserError(f"kid: {a.n} real and {b.n} generated images make no {blocks} blocks of two; give "
                        f"more of the fewer")
    edges = [_edges(x.n, blocks) for x in (a, b)]
    estimates = []
    for i in range(blocks):
        estimates.append(_kernel_block(*(x.read(e[i], e[i + 1]).astype(np.float64) for x,
                                         e in zip((a, b), edges))))
    error = np.std(estimates, ddof=1) / np.sqrt(blocks) if blocks > 1 else np.nan
    return float(np.mean(estimates)), float(error)


def _edges(n: int, blocks: int) -> np.ndarray:
    """tensorflow-gan's blocks: the later ones take the remainder."""
    sizes = np.full(blocks, n // blocks)
    sizes[blocks - n % blocks:] += 1
    return np.concatenate([[0], np.cumsum(sizes)])


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> list[tuple[int, float, float]]:
    """Sliced Wasserstein distances between 7x7 patches of Laplacian pyramids (Karras et al. 2018), by
    `tfgan.eval.sliced_wasserstein_distance`. Sets TensorFlow's global seed, which nothing else in the suite
    draws from.

    tensorflow-gan divides each patch by its deviation, which is 0 where an image is flat; so both sets first
    get noise of less than half a grey level.

    Args:
        real, fake: uint8 [n, S, S, 3] each, equal shapes.
        seed: of the noise, the patches and the projections.

    Returns:
        (side, distance between real and real, distance between real and fake) per level, the finest first.

    Raises:
        UserError: images that are not square, too small, or cannot be halved down to the coarsest level.
    """
    side = _check_pyramid(real.shape)
    noise = np.random.default_rng([seed, 7])
    smooth = [x + noise.uniform(-0.5, 0.5, x.shape).astype(np.float32) for x in (real, fake)]
    compute = _sliced_wasserstein if INSTALLED else distances.sliced_wasserstein
    values = compute(smooth[0], smooth[1], seed)
    return [(side >> i, float(r), float(f)) for i, (r, f) in enumerate(values)]


def _sliced_wasserstein(real: np.ndarray, fake: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """`distances.sliced_wasserstein` by tensorflow-gan."""
    import tensorflow_gan

    with _numpy_seed(seed), _quiet():
        # eagerly: in a graph, the order in which its threads draw patches would be left to chance
        tf.random.set_seed(seed)
        return tensorflow_gan.eval.sliced_wasserstein_distance(tf.constant(real), tf.constant(fake))


def _check_pyramid(shape) -> int:
    _, height, width, _ = shape
    if height != width or height < 7:
        raise UserError(f"swd: images are {width}x{height}; it needs square ones of at least 7x7")
    levels = max(int(np.log2(height)) - int(np.log2(min(16, height))), 0)
    if height % (1 << levels):
        raise UserError(f"swd: a side of {height} cannot be halved {levels} times; it needs a multiple of "
                        f"{1 << levels}")
    return height


@contextlib.contextmanager
def _numpy_seed(seed: int):
    """tensorflow-gan draws patches from NumPy's global generator: seeded here, and put back as it was."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


@contextlib.contextmanager
def _quiet():
    """Without TensorFlow's remarks on tensorflow-gan's age."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
