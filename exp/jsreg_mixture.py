"""JS-regularised GAN on seven Gaussians in a plane in space (rothk/Stabilizing_GANs, 3DGAN.py)

./train.py jsreg_mixture
The original's 3DGAN.py --gamma=0.1 --max_steps=100000
Finds all seven modes on two seeds of three in 12,000 steps, and none without it (docs/lab_notes.md);
the whole length is not measured here
"""
system = 'jsreg_mixture'
gamma = 0.1
max_steps = 100000
