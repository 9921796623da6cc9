"""Adversarial losses, by name: plain functions of logits."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


# -- SNGAN (watsonyanghx/GAN_Lib_Tensorflow, SNGAN scripts and common/misc.py): discriminator (real, fake),
# generator (fake) --
def hinge_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean relu(1 - r) + mean relu(1 + f)."""
    return tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))


def soft_hinge_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean softplus(-min(0, r - 1)) + mean softplus(-min(0, -1 - f))."""
    return (tf.reduce_mean(tf.nn.softplus(-tf.minimum(0.0, real - 1.0)))
            + tf.reduce_mean(tf.nn.softplus(-tf.minimum(0.0, -1.0 - fake))))


def wasserstein_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean f - mean r."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def linear_g(fake: tf.Tensor) -> tf.Tensor:
    """-mean f: the generator's loss beside hinge and Wasserstein."""
    return -tf.reduce_mean(fake)


def logistic_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """-mean log sigmoid(r) - mean log(1 - sigmoid(f)), finite for every logit (Goodfellow et al., NIPS
    2014)."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def logistic_g(fake: tf.Tensor) -> tf.Tensor:
    """-mean log sigmoid(f), the non-saturating form."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def soft_logistic_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """-mean softplus(log sigmoid(r)) - mean softplus(log(1 - sigmoid(f))), the original's SOFT_PLUS form."""
    return (-tf.reduce_mean(tf.nn.softplus(-tf.nn.softplus(-real)))
            - tf.reduce_mean(tf.nn.softplus(-tf.nn.softplus(fake))))


def soft_logistic_g(fake: tf.Tensor) -> tf.Tensor:
    """mean softplus(-log sigmoid(f)), the original's SOFT_PLUS form."""
    return tf.reduce_mean(tf.nn.softplus(tf.nn.softplus(-fake)))


def saturating_g(fake: tf.Tensor) -> tf.Tensor:
    """mean log(1 - sigmoid(f)): the minimax generator."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


def least_squares_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """(mean (1 - r)^2 + mean f^2) / 2 (Mao et al., ICCV 2017)."""
    return (tf.reduce_mean(tf.square(1.0 - real)) + tf.reduce_mean(tf.square(fake))) / 2.0


def least_squares_g(fake: tf.Tensor) -> tf.Tensor:
    """mean (1 - f)^2 / 2."""
    return tf.reduce_mean(tf.square(1.0 - fake)) / 2.0


def relativistic_d(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean softplus(-(r - f)) of pairs (Jolicoeur-Martineau 2018; R3GAN, arXiv 2501.05441)."""
    return tf.reduce_mean(tf.nn.softplus(fake - real))


def relativistic_g(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean softplus(-(f - r)) of pairs."""
    return tf.reduce_mean(tf.nn.softplus(real - fake))


@dataclass(frozen=True)
class Loss:
    """A registered loss.

    Attributes:
        discriminator: logits of real and of generated images -> what D minimises.
        generator: logits of generated images -> what G minimises; of a paired loss: logits of real and of
            generated images.
        paired: G's loss looks at the real images too.
    """

    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    generator: Callable[..., tf.Tensor]
    paired: bool = False


LOSSES = {
    "hinge": Loss(hinge_d, linear_g),
    "soft_hinge": Loss(soft_hinge_d, logistic_g),
    "wasserstein": Loss(wasserstein_d, linear_g),
    "logistic": Loss(logistic_d, logistic_g),
    "soft_logistic": Loss(soft_logistic_d, soft_logistic_g),
    "saturating": Loss(logistic_d, saturating_g),
    "least_squares": Loss(least_squares_d, least_squares_g),
    "relativistic": Loss(relativistic_d, relativistic_g, paired=True),
}
