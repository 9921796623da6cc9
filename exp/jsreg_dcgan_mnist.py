"""JS-regularised DCGAN, 28x28 MNIST digits, conditional (rothk/Stabilizing_GANs, carpedm20_DCGAN)

./train.py jsreg_dcgan_mnist
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
dataset = 'mnist'
gamma = 2.0
annealing = True
epochs = 10
