"""SNGAN: ImageNet 64x64, the 128-pixel networks without their largest stage

./train.py sngan_imagenet64
Minutes and score: not measured here
"""
system = 'sngan'

DATASET = 'imagenet'
DATA_DIR = 'data/imagenet'
NETWORK = 'imagenet64'
BATCH_SIZE = 64
GEN_BS_MULTIPLE = 2
ITERS = 250000
DIM_G = 128
DIM_D = 128
VOCAB_SIZE = 1000
LR = 0.0002
DECAY_RULE = 'linear'
DECAY_START = 200000
N_CRITIC = 5
LOSS_TYPE = 'HINGE'
