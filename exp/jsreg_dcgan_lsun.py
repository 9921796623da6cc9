"""JS-regularised DCGAN, 64x64 LSUN bedrooms (carpedm20_DCGAN of rothk/Stabilizing_GANs); data/lsun/*.jpg or
LMDB folders."""
system = 'jsreg_dcgan'
dataset = 'lsun'
input_height = 256
output_height = 64
gamma = 2.0
annealing = True
epochs = 10
