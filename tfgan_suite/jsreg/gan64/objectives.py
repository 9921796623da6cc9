"""The five objectives of `gan_64x64.py`: losses with their factors, optimisers, D steps per iteration."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tfgan_suite import optimizers
from tfgan_suite.losses import LOSSES, Loss


@dataclass(frozen=True)
class Objective:
    """One value of `--mode`.

    Attributes:
        loss: of `LOSSES`, without a penalty.
        optimizer: learning rate -> optimiser, of both networks.
        rate: its learning rate.
        disc_factor, gen_factor: of the two sides of the loss.
        disc_steps: D steps per iteration.
        penalties: names of the penalties in D's cost where none are asked for.
        gradient_penalty: D's cost holds the gradient penalty of Gulrajani et al. 2017.
        clip: bound of all of D's variables after each of its steps; 0 for none.
    """

    loss: Loss
    optimizer: Callable
    rate: float
    disc_factor: float = 1.0
    gen_factor: float = 1.0
    disc_steps: int = 1
    penalties: str = "none"
    gradient_penalty: bool = False
    clip: float = 0.0

    def discriminator(self, real, fake):
        """D's cost from logits [n] of real and of fake images."""
        return self.disc_factor * self.loss.discriminator(real, fake)

    def generator(self, fake):
        """G's cost from logits [n] of fakes."""
        return self.gen_factor * self.loss.generator(fake)


def _adam(rate: float):
    return optimizers.adam(rate, 0.5, 0.999)


def _adam_gp(rate: float):
    return optimizers.adam(rate, 0.0, 0.9)


OBJECTIVES = {
    "regularized_gan": Objective(LOSSES["logistic"], _adam, 2e-4, penalties="js"),
    "gan": Objective(LOSSES["logistic"], _adam, 2e-4, disc_factor=0.5),
    "wgan": Objective(LOSSES["wasserstein"], optimizers.RMSPropTF1, 5e-5, disc_steps=5, clip=0.01),
    "wgan-gp": Objective(LOSSES["wasserstein"], _adam_gp, 1e-4, disc_steps=5, gradient_penalty=True),
    "lsgan": Objective(LOSSES["least_squares"], optimizers.RMSPropTF1, 1e-4, gen_factor=2.0),
}
