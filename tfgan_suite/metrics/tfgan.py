"""The only module that imports tensorflow-gan: distances between activations, and between images."""
from __future__ import annotations

from functools import cache

from tfgan_suite.metrics.statistics import Moments


@cache
def _classifier_metrics():
    from tensorflow_gan.python.eval import classifier_metrics  # half a second, and only metrics need it

    return classifier_metrics


def frechet(a: Moments, b: Moments) -> float:
    """|m - m_w|^2 + Tr(C + C_w - 2 (C C_w)^(1/2)) in float64, C being the unbiased covariance (Heusel et al. 2017).

    It is `tfgan.eval.frechet_classifier_distance_from_activations` on streamed moments; its matrix square root is used.
    """
    root = _classifier_metrics().trace_sqrt_product(a.covariance, b.covariance)
    distance = ((a.mean - b.mean) ** 2).sum() + (a.covariance + b.covariance).trace() - 2.0 * float(root)
    return float(max(distance, 0.0))  # rounding may leave -1e-12 where the distributions are equal
