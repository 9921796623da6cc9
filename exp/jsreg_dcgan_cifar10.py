"""JS-regularised DCGAN, 32x32 CIFAR-10, no labels (rothk/Stabilizing_GANs, carpedm20_DCGAN)

./train.py jsreg_dcgan_cifar10
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
dataset = 'cifar10'
gamma = 2.0
annealing = True
epochs = 10
