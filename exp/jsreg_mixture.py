"""JS-regularised GAN on seven Gaussians in a plane in space: 3DGAN.py --gamma=0.1 --max_steps=100000."""
system = 'jsreg_mixture'
gamma = 0.1
max_steps = 100000
