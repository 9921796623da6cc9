"""JS-regularised DCGAN, 32x32 CIFAR-10, no labels (carpedm20_DCGAN of rothk/Stabilizing_GANs)."""
system = 'jsreg_dcgan'
dataset = 'cifar10'
gamma = 2.0
annealing = True
epochs = 10
