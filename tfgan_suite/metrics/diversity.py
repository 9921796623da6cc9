"""`ms_ssim`: how alike the samples are among themselves."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.metrics.registry import Evaluation, metric
from tfgan_suite.metrics.samples import as_rgb

POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first (Wang et al. 2003)
FILTER = 11  # side of the Gaussian window, which has to fit into the coarsest scale


def scales_of(side: int) -> int:
    """How many scales an image has room for, at most five.

    Raises:
        UserError: none.
    """
    scales = min(len(POWERS), max(side // FILTER, 0).bit_length())
    if not scales:
        raise UserError(f"ms_ssim: images of {side} pixels are too small; its window has {FILTER}")
    return scales


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MS-SSIM of pairs of images, uint8 [n, h, w, 3] each -> float32 [n], 1 for equal ones.

    Below 176 pixels there are fewer scales than five; the powers of those that are left are made to sum to
    one.
    """
    powers = np.array(POWERS[:scales_of(min(a.shape[1:3]))])
    pair = (tf.cast(x, tf.float32) for x in (a, b))
    return tf.image.ssim_multiscale(*pair, 255.0, tuple(powers / powers.sum()), FILTER).numpy()


@metric("ms_ssim")
def ms_ssim(evaluation: Evaluation) -> dict:
    """`ms_ssim`: mean MS-SSIM of pairs of samples, each in one pair (Odena et al., ICML 2017; Karras et al.,
    ICLR 2018, section 5): the higher, the less they vary.

    Raises:
        UserError: fewer than two samples, or images too small.
    """
    found: list[float] = []
    for pictures, _ in evaluation.watched(evaluation.samples, "comparing pairs"):
        pictures, half = as_rgb(pictures), len(pictures) // 2
        if half:
            found += list(similarity(pictures[:half], pictures[half:2 * half]))
            evaluation.protocol["ms_ssim_scales"] = scales_of(min(pictures.shape[1:3]))
    if not found:
        raise UserError("ms_ssim: compares pairs; give --n and --batch of at least 2")
    evaluation.protocol["ms_ssim_pairs"] = len(found)
    return {"ms_ssim": float(np.mean(found))}
