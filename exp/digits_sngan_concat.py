"""SNGAN on the embedded digits with the label concatenated in D (the projection of digits_sngan learns the
classes faster)"""
system = 'sngan'

DATASET = 'digits'
NETWORK = 'digits'
BATCH_SIZE = 32
GEN_BS_MULTIPLE = 2
ITERS = 6000
DIM_G = 16
DIM_D = 32
DIM_Z = 32
EMBEDDING_DIM = 300
LR = 0.001
N_CRITIC = 2
SAVEFREQ = 1000
INCEPTION_FREQUENCY = 0
SINGULAR_FREQUENCY = 500
