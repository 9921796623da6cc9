"""Adversarial losses, by name: plain functions of logits."""
from __future__ import annotations

import tensorflow as tf


# -- SNGAN (watsonyanghx/GAN_Lib_Tensorflow, SNGAN scripts and common/misc.py): discriminator (real, fake), generator (fake) --
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
    """-mean log sigmoid(r) - mean log(1 - sigmoid(f)), finite for every logit (Goodfellow et al., NIPS 2014)."""
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


SNGAN = {  # (LOSS_TYPE, SOFT_PLUS) -> (discriminator, generator)
    ("HINGE", False): (hinge_d, linear_g),
    ("HINGE", True): (soft_hinge_d, logistic_g),
    ("WGAN", False): (wasserstein_d, linear_g),
    ("WGAN", True): (logistic_d, logistic_g),
    ("WGAN-GP", False): (wasserstein_d, linear_g),
    ("WGAN-GP", True): (logistic_d, logistic_g),
    ("Goodfellow", False): (logistic_d, logistic_g),
    ("Goodfellow", True): (soft_logistic_d, soft_logistic_g),
}

GAN_LIB = {  # loss_type of common/misc.py's get_loss -> (discriminator, generator)
    "HINGE": (hinge_d, linear_g),
    "WGAN": (wasserstein_d, linear_g),
    "WGAN-GP": (wasserstein_d, linear_g),
    "LSGAN": (least_squares_d, least_squares_g),
    "CGAN": (logistic_d, logistic_g),
    "Modified_MiniMax": (logistic_d, logistic_g),
    "MiniMax": (logistic_d, saturating_g),
}
