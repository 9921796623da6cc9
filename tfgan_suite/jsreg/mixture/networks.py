"""G and D of the `3DGAN` program: two tanh layers and a linear one."""
from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import TF_3DGAN, truncated_by_run
from tfgan_suite.layers.linear import Linear
from tfgan_suite.layers.network import Body
from tfgan_suite.layers.resample import logits


def _mlp(make: Maker, inputs: int, hidden: int, outputs: int) -> list:
    return [make.dense("1", inputs, hidden), tf.tanh,
            make.dense("2", hidden, hidden), tf.tanh,
            make.dense("3", hidden, outputs)]


def generator(params) -> Body:
    """z [B, z_dim] -> points [B, 3]."""
    return Body(Chain(*_mlp(Maker("generator/", TF_3DGAN, params.seed), params.z_dim, params.hidden, 3)),
                TF_3DGAN)


def discriminator(params) -> Body:
    """Points [B, 3] -> logits [B]."""
    return Body(Chain(*_mlp(Maker("discriminator/", TF_3DGAN, params.seed), 3, params.hidden, 1), logits),
                TF_3DGAN)


def first_values(network: Body, seed: int, run) -> Iterator[tuple[tf.Variable, tf.Tensor]]:
    """(variable, its first value in a run) of all variables; a network is made with those of run 0.

    Args:
        run: int or int64 scalar tensor.
    """
    for layer in network.body.steps:
        if isinstance(layer, Linear):
            yield layer.kernel, truncated_by_run(layer.array_name("kernel"), layer.kernel.shape, seed, run)
            yield layer.bias, tf.zeros(layer.bias.shape)


def untrained(params, run: int) -> dict[str, Body]:
    """'g' and 'd' with the first values of a run."""
    networks = {"g": generator(params), "d": discriminator(params)}
    for network in networks.values():
        for variable, value in first_values(network, params.seed, run):
            variable.assign(value)
    return networks
