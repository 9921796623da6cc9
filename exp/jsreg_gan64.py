"""JS-regularised GAN, 64x64 CelebA faces, ResNet (rothk/Stabilizing_GANs gan_64x64.py); any --architecture
and --mode."""
system = 'jsreg_gan64'
architecture = 'ResNet'
mode = 'regularized_gan'
dataset = 'celebA'
gamma = 0.1
iters = 100000
