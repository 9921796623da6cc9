"""The projection discriminator as pfnet-research/sngan_projection trains it."""
