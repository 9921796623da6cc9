"""The data of the `3DGAN` program (3DGAN.py): Gaussians on a circle, in a plane tilted in space.

All points are rows; a row v of the plane (third coordinate zero) becomes v R + t in space. Since rows are
multiplied from the left, the rotation is by -angle about the axis.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ANGLE = np.pi / 4
AXIS = np.array([1.0, -1.0, 0.0]) / np.sqrt(2.0)
SHIFT = np.full(3, 1.0 / np.sqrt(3.0), np.float32)


def rotation(axis, angle: float) -> np.ndarray:
    """Rodrigues' formula I + sin K + (1 - cos) K K, float32 [3, 3]."""
    x, y, z = axis
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return (np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * k @ k).astype(np.float32)


ROTATION = rotation(AXIS, ANGLE)


def to_space(plane: np.ndarray) -> np.ndarray:
    """[n, 3] of plane coordinates -> [n, 3] in space."""
    return plane.astype(np.float32) @ ROTATION + SHIFT


def to_plane(points: np.ndarray) -> np.ndarray:
    """The inverse of `to_space`; the third column is the signed distance to the plane."""
    return (points - SHIFT) @ ROTATION.T


@dataclass(frozen=True)
class Mixture:
    """Equally likely Gaussians of one standard deviation, whose means lie on a circle."""

    components: int = 7
    radius: float = 1.0
    std: float = 0.01

    def centres(self) -> np.ndarray:
        """Means in the plane, float32 [components, 2]: radius * (sin, cos) of 2 pi k / components."""
        angle = 2.0 * np.pi * np.arange(self.components) / self.components
        return (self.radius * np.stack([np.sin(angle), np.cos(angle)], 1)).astype(np.float32)

    def centres_in_space(self) -> np.ndarray:
        """Means in space, float32 [components, 3]."""
        return to_space(np.pad(self.centres(), ((0, 0), (0, 1))))

    def quality(self, points: np.ndarray) -> dict[str, float]:
        """How well samples [n, 3] hit the mixture. A sample belongs to a mode within three standard
        deviations of its mean.

        Returns:
            modes_covered: modes to which at least one sample belongs; modes_tenth: modes that got at least a
                tenth of
            their fair share of all samples; share_within_3sd: of samples that belong to a mode;
            distance_to_plane: mean absolute distance; distance_to_mode: mean distance to the nearest mean.
        """
        points = np.asarray(points, np.float64)
        centres = self.centres_in_space().astype(np.float64)
        distance = np.linalg.norm(points[:, None] - centres[None], axis=2)
        nearest = distance.argmin(1)
        hit = distance.min(1) <= 3.0 * self.std
        counts = np.bincount(nearest[hit], minlength=self.components)
        return {"modes_covered": float((counts > 0).sum()),
                "modes_tenth": float((counts >= 0.1 * len(points) / self.components).sum()),
                "share_within_3sd": float(hit.mean()),
                "distance_to_plane": float(np.abs(to_plane(points)[:, 2]).mean()),
                "distance_to_mode": float(distance.min(1).mean())}
