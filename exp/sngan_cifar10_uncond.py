"""SNGAN: CIFAR-10 without labels, in G or in D

./train.py sngan_cifar10_uncond
The original's CONDITIONAL = False still showed labels to D
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
CONDITIONAL = False
