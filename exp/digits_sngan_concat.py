"""SNGAN on the embedded digits with the label concatenated in D, 16x16

./train.py digits_sngan_concat
0.75 of the real digits' score in 1,500 iterations (docs/lab_notes.md); minutes not measured here
"""
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
