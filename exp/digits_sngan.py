"""SNGAN with the projection discriminator on the embedded digits, with classes, 16x16

./train.py digits_sngan
3 to 6 minutes on two CPU cores; 0.91 to 0.98 of the real digits' score (docs/results.md)
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
