"""JS-regularised GAN, 64x64 CelebA faces, ResNet (rothk/Stabilizing_GANs, gan_64x64.py)

./train.py jsreg_gan64
Any --architecture and --mode
Minutes and score: not measured here
"""
system = 'jsreg_gan64'
architecture = 'ResNet'
mode = 'regularized_gan'
dataset = 'celebA'
gamma = 0.1
iters = 100000
