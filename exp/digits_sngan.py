"""SNGAN on the embedded digits, class-conditional, 16x16: minutes on two CPU cores"""
system = 'sngan'

DATASET = 'digits'
NETWORK = 'digits'
BATCH_SIZE = 32
GEN_BS_MULTIPLE = 2
ITERS = 1500
DIM_G = 16
DIM_D = 32
DIM_Z = 32
EMBEDDING_DIM = 32
LR = 0.001
N_CRITIC = 2
SAVEFREQ = 500
INCEPTION_FREQUENCY = 0
SINGULAR_FREQUENCY = 500
