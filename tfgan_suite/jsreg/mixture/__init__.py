"""The `3DGAN` program of rothk/Stabilizing_GANs."""
