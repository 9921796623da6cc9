"""What the SNGAN parity tests share."""
import re

import golden_files as golden
import numpy as np

from tfgan_suite.experiment import Parameters, declared


def parameters(system, **values):
    """Parameters of a system with these values over the defaults."""
    known = declared(system)
    assert set(values) <= set(known), set(values) - set(known)
    return Parameters("test", {**{n: p.default for n, p in known.items()}, **values, "system": system}, {},
                      known)


def interleave(rows):
    """The original's halves as our even and odd rows."""
    half = len(rows) // 2
    mixed = np.empty_like(rows)
    mixed[0::2], mixed[1::2] = rows[:half], rows[half:]
    return mixed


def separate(rows):
    """The inverse of `interleave`."""
    return np.concatenate([rows[0::2], rows[1::2]])


def gradients_match(gradients, variables, expected, without=()):
    """Errors within 2e-4 of the largest entry of each gradient, or 1e-5 of the largest of the network."""
    largest = max(float(np.max(np.abs(g))) for g in expected.values())
    names = [v.name.split(":")[0] for v in variables]
    assert set(names) - set(map(str, without)) == set(expected)
    for name, gradient in zip(names, gradients):
        if name in expected:
            value = expected[name]
            golden.close(gradient, value, max(2e-4 * float(np.max(np.abs(value))), 1e-5 * largest), name)


def weights_match(named, expected, rate, steps, drifts):
    """All entries within 2 * rate * steps; of each tensor 99 % (or all but 8) within 1e-5. Adam with beta1 =
    0 turns the round-off of a vanishing gradient into whole steps, so single entries may be off.

    Args:
        steps: name prefix -> optimiser steps.
        drifts: pattern of the names whose gradient is zero but for round-off.
    """
    for name, value in expected.items():
        if "/BatchNorm/" in name and not named[name].trainable:  # moving averages follow the drifting biases
            golden.close(named[name], value, 1e-3 * max(1.0, float(np.max(np.abs(value)))), name)
            continue
        error = np.abs(named[name].numpy() - value)
        count = next(n for prefix, n in steps.items() if name.startswith(prefix))
        if named[name].trainable:
            assert np.max(error) <= 2 * rate * count + 1e-6, f"{name}: differs by {np.max(error):.3g}"
        if not re.fullmatch(drifts, name):
            wrong = np.sum(error > 1e-5 * max(1.0, float(np.max(np.abs(value)))))
            assert wrong <= max(0.01 * value.size, 8), f"{name}: {wrong} of {value.size} entries differ"
