"""The `igul222_GANs` program (`gan_64x64.py`) of rothk/Stabilizing_GANs."""
