"""What the parity tests of the jsreg systems share."""
import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import experiment, penalties, registry


def parameters(system: str, **changes) -> experiment.Parameters:
    """The system's defaults with some values changed."""
    declared = {p.name: p for p in (*experiment.COMMON, *registry.parameters()[system])}
    values = {name: p.default for name, p in declared.items()}
    return experiment.Parameters("test", {**values, "system": system, **changes}, declared=declared)


def each_with(system: str, key: str):
    """Parametrises a test over the fixtures that hold an array `key` (or `key...`, if it ends with a slash),
    whatever their names."""
    found = []
    for path in golden.files(system, "*.npz"):
        with np.load(path) as file:
            holds = any(name.startswith(key)
                        for name in file.files) if key.endswith("/") else key in file.files
            found += [pytest.param(path, id=path.stem)] if holds else []
    missing = pytest.param(None,
                           marks=pytest.mark.skip(reason=f"{golden.folder(system)} has no file with {key}"))
    return pytest.mark.parametrize("path", found or [missing])


def global_norm(arrays: dict) -> float:
    """Root of the sum of all squares."""
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays.values())))


def weights(params, gamma) -> dict:
    """The weights of the penalties with a recorded gamma."""
    return {**penalties.weights(params), "gamma": tf.constant(gamma, tf.float32)}
