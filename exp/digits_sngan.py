"""SNGAN with the projection discriminator on the embedded digits, with classes, 16x16

./train.py digits_sngan
At most 27 minutes on a busy CPU core; 1.00 of the real digits' score, 1.02 by the second judge
(docs/lab_notes.md)
"""
system = 'sngan_projection'

dataset = 'digits'
network = '16'
gen_ch = 32
dis_ch = 32
dim_z = 32
n_classes = 10
batchsize = 32
n_gen_samples = 64
n_dis = 2
alpha = 0.001
iteration = 4000
iteration_decay_start = 2000
snapshot_interval = 1000
evaluation_interval = 0
SINGULAR_FREQUENCY = 500
