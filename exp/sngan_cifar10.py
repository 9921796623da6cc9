"""SNGAN: class-conditional CIFAR-10, hinge loss (GAN_Lib_Tensorflow, gan_cifar_resnet.py)

./train.py sngan_cifar10
The original's README has an Inception score of 8.43 +- 0.12 (its old score); not measured here
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
