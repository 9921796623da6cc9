"""RP-GAN: stabilising GAN training with multiple random projections (arXiv 1705.07831, ayanc/rpgan)."""
