"""What the parity tests of LIS share: layouts, and sizes and options as the recorded arrays tell them."""
import re

import numpy as np
from golden_files import close

from tfgan_suite import experiment
from tfgan_suite.experiment import Parameters
from tfgan_suite.layers.conventions import TORCH_2017


def nhwc(x):
    """The fixtures' NCHW as NHWC; other ranks unchanged."""
    return np.transpose(x, (0, 2, 3, 1)) if x.ndim == 4 else x


def nchw(x):
    """The reverse of `nhwc`."""
    x = np.asarray(x)
    return np.transpose(x, (0, 3, 1, 2)) if x.ndim == 4 else x


def to_file(x):
    """A variable's layout as that of the files."""
    return np.transpose(x, TORCH_2017.axes("", np.ndim(x)))


def cases(arrays, depth):
    """The distinct prefixes of `depth` levels."""
    return sorted({"/".join(name.split("/")[:depth]) + "/" for name in arrays if name.count("/") > depth})


def numbered(arrays, name):
    """The arrays `name`0, `name`1, ... in their order, as far as they go."""
    found = []
    while f"{name}{len(found)}" in arrays:
        found.append(arrays[f"{name}{len(found)}"])
    return found


def without_gradient(names):
    """Biases that feed a batch norm directly: mathematically their gradient is zero."""
    names, buffers = list(names), [n for n in names if n.endswith("running_mean")]
    dead = set()
    for buffer in buffers:
        first = names.index(buffer.replace("running_mean", "weight"))
        if first and names[first - 1].endswith(".bias"):
            dead.add(names[first - 1])
    return dead


# -- what the arrays of a network say ------------------------------------------------------------------------
def norm_of(parameters):
    """`--norm` of a network: batch norm's buffers, or scale and bias of its first linear map."""
    if any(name.endswith("running_mean") for name in parameters):
        return "batch"
    first = next(n for n, a in parameters.items() if n.endswith(".weight")
                 and np.ndim(a) in (2, 4))[:-len("weight")]
    if f"{first}scale" in parameters:
        return "weight-affine"
    return "none" if f"{first}bias" in parameters else "weight"


def modules_of(names):
    """How many LIS modules a network has."""
    return len({name.split(".")[1] for name in names if name.startswith("lis_layers.")})


def sizes_of(kind, shapes, image=None):
    """(width, height, features, levels, code) of a network.

    Args:
        kind: G, GL, D or R.
        shapes: array name -> shape, in the original's order.
        image: (height, width) where they are known. Else any are given that lead to the same shapes: for D
            and R the last size doubled `levels` times; for G, where only the area of its first size shows, a
            strip.
    """
    convs = [s for n, s in shapes.items() if len(s) == 4 and n.endswith(".weight") and "final" not in n]
    levels = len(convs)
    if kind[0] in "DR":
        final = shapes["final.conv.weight"]
        features, code, top = convs[0][0], final[0], final[2:]
    else:
        rows, code = next(s for n, s in shapes.items() if n.startswith("initial") and len(s) == 2)
        features = convs[-1][0]
        top = 1, rows // (features * 2 ** (levels - 1))
    height, width = image or (n * 2 ** levels for n in top)
    return int(width), int(height), features, levels, code


# -- command lines -------------------------------------------------------------------------------------------
def parameters(system, args, **changes):
    """The parameters that a command line of the original means."""
    declared = experiment.declared(system)
    values = {name: p.default for name, p in declared.items()}
    for flag, text in re.findall(r"--(\w+)((?:[ =](?!--)\S+)*)", re.sub(r"<run of> ", "", args)):
        if flag in declared:
            values[flag] = declared[flag].convert(text.strip(" =") or "true", flag)
    values.update(system=system, wts_dir="unused", **changes)
    return Parameters("golden", values, {}, declared)


# -- comparing -----------------------------------------------------------------------------------------------
def close_scaled(actual, expected, atol, name):
    """As `close`, with `atol` for numbers up to 1 and that share of the largest one beyond: float32 has no
    more digits.
    """
    close(actual, expected, atol * max(1.0, float(np.abs(expected).max(initial=0.0))), name)


def nearly_equal_bytes(actual, expected, share, name):
    """Bytes may differ by one, in less than `share` of all places."""
    close(np.asarray(actual, int), np.asarray(expected, int), 1, name)
    assert np.mean(actual != expected) < share, name


def gradients_near(actual, expected, name):
    """Within 1e-4 of the largest number, and 1e-6 (as the fixtures' README says)."""
    close(actual, expected, 1e-4 * float(np.abs(expected).max(initial=0.0)) + 1e-6, name)


def first_words(arrays):
    """The distinct first parts of names with levels."""
    return sorted({name.split("/")[0] for name in arrays if "/" in name})
