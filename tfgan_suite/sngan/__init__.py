"""SNGAN: spectral normalisation (Miyato et al., ICLR 2018) and the projection discriminator (Miyato and
Koyama, ICLR 2018)."""
