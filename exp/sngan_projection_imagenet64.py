"""Projection discriminator on ImageNet 64x64 (sngan_projection, sn_projection_64)

./train.py sngan_projection_imagenet64
Minutes and score: not measured here
"""
system = 'sngan_projection'

dataset = 'imagenet'
data_dir = 'data/imagenet'
network = '64'
gen_ch = 64
dis_ch = 64
n_classes = 1000
batchsize = 64
n_gen_samples = 64
n_dis = 5
alpha = 0.0002
iteration = 250000
iteration_decay_start = 200000
snapshot_interval = 10000
evaluation_interval = 5000
