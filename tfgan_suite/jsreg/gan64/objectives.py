"""The five objectives of `gan_64x64.py`: costs from logits, optimisers, D steps per iteration."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite import optimizers


@dataclass(frozen=True)
class Objective:
    """One value of `--mode`.

    Attributes:
        generator: logits of fakes -> G's cost.
        discriminator: logits of real and of fake images -> D's cost, without a penalty.
        optimizer: learning rate -> optimiser, of both networks.
        rate: its learning rate.
        disc_steps: D steps per iteration.
        regularized: D's cost holds the JS regulariser.
        gradient_penalty: D's cost holds the gradient penalty of Gulrajani et al. 2017.
        clip: bound of all of D's variables after each of its steps; 0 for none.
    """

    generator: Callable
    discriminator: Callable
    optimizer: Callable
    rate: float
    disc_steps: int = 1
    regularized: bool = False
    gradient_penalty: bool = False
    clip: float = 0.0


def _is_real(logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of the answer 'real'."""
    return tf.reduce_mean(tf.nn.softplus(-logits))


def _is_fake(logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softplus(logits))


def _cross_entropies(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return _is_real(real) + _is_fake(fake)


def _half_cross_entropies(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return _cross_entropies(real, fake) / 2.0


def _is_high(fake: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_mean(fake)


def _difference(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def _to_one(logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(logits - 1.0))


def _half_squares(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return (_to_one(real) + tf.reduce_mean(tf.square(fake))) / 2.0


def _adam(rate: float):
    return optimizers.adam(rate, 0.5, 0.999)


def _adam_gp(rate: float):
    return optimizers.adam(rate, 0.0, 0.9)


OBJECTIVES = {
    "regularized_gan": Objective(_is_real, _cross_entropies, _adam, 2e-4, regularized=True),
    "gan": Objective(_is_real, _half_cross_entropies, _adam, 2e-4),
    "wgan": Objective(_is_high, _difference, optimizers.RMSPropTF1, 5e-5, disc_steps=5, clip=0.01),
    "wgan-gp": Objective(_is_high, _difference, _adam_gp, 1e-4, disc_steps=5, gradient_penalty=True),
    "lsgan": Objective(_to_one, _half_squares, optimizers.RMSPropTF1, 1e-4),
}
