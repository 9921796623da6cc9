"""Stabilizing Training of GANs through Regularization (Roth et al., NIPS 2017; rothk/Stabilizing_GANs): its
three programs."""
