"""Five papers on stabilising GAN training, as faithful ports that run from one trainer."""
