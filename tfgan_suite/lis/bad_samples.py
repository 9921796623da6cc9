"""The paper's claim, measured on digits: how many samples are bad before and after the modules (rounds, R).

A sample is bad if the digits classifier's confidence, the largest of its ten probabilities, is below a threshold.
"""
from __future__ import annotations

import numpy as np

from tfgan_suite.lis import drawing

THRESHOLD = 0.9


def confidences(stages: list[np.ndarray], classifier) -> np.ndarray:
    """The classifier's confidence in each sample at each stage.

    Args:
        stages: images in [0, 1], each float32 [n, h, w, 3]; row k of all stages comes from one code.
        classifier: float [n, h, w, 3] in [-1, 1] -> (features, logits [n, 10]).

    Returns:
        float64 [stages, n].
    """
    found = []
    for images in stages:
        logits = classifier(images * np.float32(2) - np.float32(1))[1].astype(np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        found.append(odds.max(axis=1) / odds.sum(axis=1))
    return np.stack(found)


def table(confidence: np.ndarray, threshold: float = THRESHOLD) -> list[dict]:
    """A row per stage.

    Returns:
        bad: share of samples below the threshold; mean: mean confidence; mended: share of the samples that were bad at the
        first stage and are good now; spoilt: share of those that were good and are bad now (NaN where there were none).
    """
    bad = confidence < threshold

    def share(now, of):
        return float(now[of].mean()) if of.any() else float("nan")

    return [{"stage": k, "bad": float(row.mean()), "mean": float(confidence[k].mean()), "mended": share(~row, bad[0]),
             "spoilt": share(row, ~bad[0])} for k, row in enumerate(bad)]


def worst(stages: list[np.ndarray], confidence: np.ndarray, count: int = 64, cols: int = 8) -> np.ndarray:
    """The samples with the least confidence at the first stage, all stages side by side, uint8 [H, W, 3]."""
    chosen = np.argsort(confidence[0], kind="stable")[:count]
    return drawing.draw_grid(drawing.side_by_side(*(drawing.to_bytes(images[chosen]) for images in stages)), cols=cols)
