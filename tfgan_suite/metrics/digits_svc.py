"""The second judge of the digits: a support vector machine on 8x8 pixels, the size of the scans.

It has nothing in common with the classifier of `digits`: no convolutions, no training by gradients, no pixels
that the scans do not have; and it asks more, because a sample far from all digits, or between two, gets
undecided probabilities. Fitted in seconds from the same digits, always to the same result, so it is kept
nowhere.
"""
from __future__ import annotations

from itertools import combinations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.svm import SVC

SIDE = 8
COST = 10.0  # of a digit on the wrong side
FOLDS = 3  # for the probabilities; the versions of a digit at several sizes are in one fold
LEAST = 1e-7  # of a probability between two classes, as in LIBSVM


class Machine:
    """A machine with the Gaussian kernel for each pair of classes, and probabilities from all of them.

    Each pair's value becomes a probability r_ij of i between i and j by a sigmoid (Platt 1999), fitted on
    digits that the machine was not fitted on. The pairs are coupled by the second way of Wu, Lin and Weng
    (JMLR 2004, equation 21), LIBSVM's: the p with sum 1 and least sum of (r_ji p_i - r_ij p_j)^2.

    Args:
        images: [n, 8, 8, 1] in [0, 1].
        labels: int [n].
        groups: [n]; what has one number came from one scan.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, groups: np.ndarray):
        x = _flat(images)
        self.machine = SVC(C=COST, gamma="scale", decision_function_shape="ovo")
        folds = list(GroupKFold(FOLDS).split(x, labels, groups))
        values = cross_val_predict(self.machine, x, labels, cv=folds, method="decision_function")
        self.machine.fit(x, labels)
        self.pairs = list(combinations(range(len(self.machine.classes_)), 2))
        self.sigmoids = np.stack([_sigmoid(values[:, k], labels, pair) for k, pair in enumerate(self.pairs)])

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities [n, classes] of images [n, 8, 8, 1] in [0, 1]."""
        scale, offset = self.sigmoids.T
        values = self.machine.decision_function(_flat(images)) * scale + offset
        between = np.clip(1.0 / (1.0 + np.exp(-values)), LEAST, 1.0 - LEAST)
        classes = len(self.machine.classes_)
        system = np.zeros((len(images), classes + 1, classes + 1))
        for r, (i, j) in zip(between.T, self.pairs):
            system[:, i, i] += (1.0 - r) ** 2
            system[:, j, j] += r**2
            system[:, i, j] = system[:, j, i] = -r * (1.0 - r)
        system[:, classes, :classes] = system[:, :classes, classes] = 1.0
        wanted = np.eye(classes + 1)[classes][:, None]
        wanted = np.broadcast_to(wanted, (len(images), classes + 1, 1))
        found = np.linalg.solve(system, wanted)[:, :classes, 0]
        return np.clip(found, 0.0, 1.0)


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, np.float64).reshape(len(images), -1)


def _sigmoid(values: np.ndarray, labels: np.ndarray, pair: tuple) -> tuple[float, float]:
    """Scale and offset of the sigmoid that makes of values [n] the probability of the pair's first class,
    fitted to Platt's softened targets."""
    rows = np.isin(labels, pair)
    first = labels[rows] == pair[0]
    count = np.where(first, first.sum(), (~first).sum())
    target = np.where(first, count + 1, 1) / (count + 2)
    both = np.tile(values[rows], 2)[:, None]
    fitted = LogisticRegression(C=1e6).fit(both, np.repeat([True, False], len(target)),
                                           sample_weight=np.concatenate([target, 1 - target]))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
