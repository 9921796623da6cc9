"""Five papers on stabilising GAN training, as faithful ports that run from one trainer."""
from tfgan_suite import startup

startup.prepare()

from tfgan_suite.api import Generator, Trained, evaluate, load, train  # noqa: E402 (Keras is chosen first)

__all__ = ["Generator", "Trained", "evaluate", "load", "train"]
