"""Statistics of a stream: memory does not grow with the number of samples, and batches may be of any size."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgan_suite.errors import UserError


def check_splits(n: int, splits: int) -> None:
    """Raises:
        UserError: a split would be empty.
    """
    if splits < 1 or n < splits:
        raise UserError(f"{n} samples cannot be divided into {splits} splits; give more samples or a smaller "
                        f"--splits")


class SplitScores:
    """The Inception Score of a stream (Salimans et al. 2016), with the original's split arithmetic.

    Part i holds samples i*n//splits to (i+1)*n//splits - 1, so any n >= splits will do; its score is
    exp(mean_n KL(p_n || mean_n p)). Sums are kept in float64, which is within 1e-5 of the original's float32.

    Args:
        n: number of samples that will come.
        splits: number of parts.

    Raises:
        UserError: fewer samples than parts.
    """

    def __init__(self, n: int, splits: int):
        check_splits(n, splits)
        self.n, self.splits, self.seen = n, splits, 0
        self.edges = [i * n // splits for i in range(splits + 1)]
        self._sums: list = [0.0] * splits
        self._negative_entropy = np.zeros(splits)

    def add(self, p: np.ndarray, log_p: np.ndarray) -> None:
        """Class probabilities [b, C] of the next b samples, and their logarithms."""
        first, last = self.seen, self.seen + len(p)
        if last > self.n:
            raise ValueError(f"{last} samples came, {self.n} were announced")
        terms = np.where(p > 0, p * log_p, 0.0).sum(axis=1)
        for i in range(self.splits):
            part = slice(max(self.edges[i] - first, 0), max(self.edges[i + 1] - first, 0))
            if len(terms[part]):
                self._sums[i] = self._sums[i] + p[part].sum(axis=0)
                self._negative_entropy[i] += terms[part].sum()
        self.seen = last

    def add_logits(self, logits: np.ndarray) -> None:
        """Logits [b, C] of the next b samples; the softmax is the stable one."""
        x = logits.astype(np.float64)
        x = x - x.max(axis=1, keepdims=True)
        log_p = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
        self.add(np.exp(log_p), log_p)

    def result(self) -> tuple[float, float]:
        """Mean and population standard deviation of the parts' scores."""
        if self.seen != self.n:
            raise ValueError(f"{self.seen} samples came, {self.n} were announced")
        scores = []
        for i, (first, last) in enumerate(zip(self.edges, self.edges[1:])):
            mean = self._sums[i] / (last - first)
            marginal = np.sum(mean[mean > 0] * np.log(mean[mean > 0]))
            scores.append(np.exp(self._negative_entropy[i] / (last - first) - marginal))
        return float(np.mean(scores)), float(np.std(scores))


@dataclass(frozen=True)
class Gaussian:
    """A mean [d] and a covariance [d, d] from a file."""

    mean: np.ndarray
    covariance: np.ndarray


class Moments:
    """Mean and unbiased covariance of a stream of vectors, merged pairwise in float64 (Chan et al. 1979)."""

    def __init__(self):
        self.n, self.mean, self._scatter = 0, None, None

    def add(self, x: np.ndarray) -> None:
        """Vectors [b, d]."""
        x = np.asarray(x, np.float64)
        n, mean = len(x), x.mean(axis=0)
        centred = x - mean
        scatter = centred.T @ centred
        if self.n == 0:
            self.n, self.mean, self._scatter = n, mean, scatter
            return
        delta, total = mean - self.mean, self.n + n
        self._scatter += scatter
        self._scatter += np.outer(delta, delta) * (self.n * n / total)
        self.mean = self.mean + delta * (n / total)
        self.n = total

    @property
    def covariance(self) -> np.ndarray:
        """float64 [d, d].

        Raises:
            UserError: fewer than two samples.
        """
        if self.n < 2:
            raise UserError("one sample has no covariance; give --n of at least 2")
        return self._scatter / (self.n - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a file needs to hold."""
        return {"n": np.array(self.n, np.int64), "mean": self.mean, "scatter": self._scatter}

    @classmethod
    def from_arrays(cls, arrays) -> Moments:
        """The moments that `arrays` returned."""
        moments = cls()
        moments.n, moments.mean, moments._scatter = int(arrays["n"]), arrays["mean"], arrays["scatter"]
        return moments
