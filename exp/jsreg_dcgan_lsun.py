"""JS-regularised DCGAN, 64x64 LSUN bedrooms (rothk/Stabilizing_GANs, carpedm20_DCGAN)

./train.py jsreg_dcgan_lsun
Data: data/lsun/*.jpg, or the LMDB folders
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
dataset = 'lsun'
input_height = 256
output_height = 64
gamma = 2.0
annealing = True
epochs = 10
