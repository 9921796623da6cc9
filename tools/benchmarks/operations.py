"""How many multiplications and additions a traced function makes in its convolutions and matrix products."""
from __future__ import annotations

import math

import tensorflow as tf


def count(graph) -> float:
    """Of a graph whose shapes are known; the body of a loop counts as often as it runs at most.

    Raises:
        ValueError: a shape is not known.
    """
    return sum(_own(operation) + _inner(graph, operation) for operation in graph.get_operations())


def _own(operation) -> float:
    kind = operation.type
    if kind in ("MatMul", "BatchMatMulV2"):
        a, out = operation.inputs[0], operation.outputs[0]
        turned = operation.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        return 2.0 * _size(out.shape) * int(a.shape[-2 if turned else -1])
    if kind == "Conv2D":
        return _convolution(operation.inputs[1].shape, operation.outputs[0].shape)
    if kind == "Conv2DBackpropInput":
        return _convolution(operation.inputs[1].shape, operation.inputs[2].shape)
    if kind == "Conv2DBackpropFilter":
        return _convolution(operation.outputs[0].shape, operation.inputs[2].shape)
    return 0.0


def _convolution(kernel, maps) -> float:
    """Of a kernel [h, w, in, out] that gives maps [n, h', w', out]."""
    return 2.0 * _size(maps) * _size(kernel[:3])


def _size(shape) -> int:
    return math.prod(shape.as_list()) if shape.is_fully_defined() else _unknown(shape)


def _unknown(shape):
    raise ValueError(f"shape {shape} is not known")


def _inner(graph, operation) -> float:
    times = 1
    if operation.type in ("While", "StatelessWhile"):
        times = int(tf.get_static_value(operation.inputs[1]))  # the loop's largest number of rounds
    names = [operation.get_attr(key).name for key in ("f", "body") if key in operation.node_def.attr]
    return times * sum(count(graph._get_function(name).graph) for name in names)
