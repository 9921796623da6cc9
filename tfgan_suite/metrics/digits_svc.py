"""The second judge of the digits: a support vector machine on 8x8 pixels, the size of the scans.

It has nothing in common with the classifier of `digits`: no convolutions, no training by gradients, no pixels
that the scans do not have. A generator whose samples please one of the two only has not learnt the digits.
Fitted in seconds from the same digits, always to the same result, so it is kept nowhere.
"""
from __future__ import annotations

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GroupKFold
from sklearn.svm import SVC

SIDE = 8
COST = 10.0  # of a digit on the wrong side
FOLDS = 3  # for the probabilities; the versions of a digit at several sizes are in one fold


def fit(images: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> CalibratedClassifierCV:
    """A machine with the Gaussian kernel, and probabilities by Platt's sigmoid for each class.

    Args:
        images: [n, 8, 8, 1] in [0, 1].
        labels: int [n].
        groups: [n]; what has one number came from one scan.
    """
    x = images.reshape(len(images), -1).astype(np.float64)
    folds = list(GroupKFold(FOLDS).split(x, labels, groups))
    return CalibratedClassifierCV(SVC(C=COST, gamma="scale"), ensemble=False, cv=folds).fit(x, labels)
