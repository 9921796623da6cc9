"""JS-regularised DCGAN, 28x28 MNIST digits, conditional (carpedm20_DCGAN of rothk/Stabilizing_GANs)."""
system = 'jsreg_dcgan'
dataset = 'mnist'
gamma = 2.0
annealing = True
epochs = 10
