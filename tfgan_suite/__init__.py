"""Five papers on stabilising GAN training, as faithful ports that run from one trainer."""
from tfgan_suite import startup

startup.prepare()
