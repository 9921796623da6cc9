"""The LIS paper's claim, measured on digits: samples that are bad before and after the modules (rounds, R).

A sample is bad if the digits classifier's confidence, the largest of its ten probabilities, is below a
threshold (arXiv 1707.00768 lets people judge).
"""
from __future__ import annotations

import numpy as np

from tfgan_suite.metrics import digits
from tfgan_suite.metrics.registry import Evaluation, metric

THRESHOLD = 0.9  # of the classifier's confidence


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
        bad: share of samples below the threshold; mean: mean confidence; mended: share of the samples that
            were bad at the
        first stage and are good now; spoilt: share of those that were good and are bad now (NaN where there
        were none).
    """
    bad = confidence < threshold

    def share(now, of):
        return float(now[of].mean()) if of.any() else float("nan")

    return [{"stage": k, "bad": float(row.mean()), "mean": float(confidence[k].mean()),
             "mended": share(~row, bad[0]),
             "spoilt": share(row, ~bad[0])} for k, row in enumerate(bad)]


@metric("bad", "system")
def bad(evaluation: Evaluation) -> dict[str, float]:
    """`bad_after_K`: share of bad samples after K modules, for K from 0; `bad_mended` and `bad_spoilt`: see
    `table`, after the last one.

    Raises:
        UserError: the system has no modules.
    """
    found, left = [], len(evaluation.samples)
    for latents, labels in evaluation.samples.requests():
        stages = evaluation.system.all_stages(latents[:left], None if labels is None else labels[:left])
        found.append(confidences(stages, digits.classifier()))
        left -= len(latents)
    rows = table(np.concatenate(found, axis=1))
    return {**{f"bad_after_{row['stage']}": row["bad"] for row in rows},
            "bad_mended": rows[-1]["mended"], "bad_spoilt": rows[-1]["spoilt"]}
