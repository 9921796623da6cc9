"""SNGAN: CIFAR-10 with an auxiliary classifier in D (the original's ACGAN = True)

./train.py sngan_cifar10_acgan
--LABEL_IN_D=False hides the label from D
Minutes and score: not measured here
"""
system = 'sngan'

DATASET = 'cifar10'
DATA_DIR = 'data/cifar10'
NETWORK = 'cifar'
BATCH_SIZE = 64
GEN_BS_MULTIPLE = 2
ITERS = 100000
DIM_G = 128
DIM_D = 128
LR = 0.0002
N_CRITIC = 5
LOSS_TYPE = 'HINGE'
CONDITIONAL = True
ACGAN = True
ACGAN_SCALE = 1.0
ACGAN_SCALE_G = 0.1
