"""The `carpedm20_DCGAN` program of rothk/Stabilizing_GANs."""
