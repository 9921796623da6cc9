"""SNGAN: ImageNet 128x128 (gan_imagNet_resnet.py)

./train.py sngan_imagenet
Its rate falls to 0 without the original's jump
Minutes and score: not measured here
"""
system = 'sngan'

DATASET = 'imagenet'
DATA_DIR = 'data/imagenet'
NETWORK = 'imagenet'
BATCH_SIZE = 32
GEN_BS_MULTIPLE = 2
ITERS = 450000
DIM_G = 128
DIM_D = 128
VOCAB_SIZE = 1000
LR = 0.0002
DECAY_RULE = 'linear'
DECAY_START = 400000
N_CRITIC = 5
LOSS_TYPE = 'HINGE'
