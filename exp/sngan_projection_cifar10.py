"""Projection discriminator on CIFAR-10 (pfnet-research/sngan_projection, sn_cifar10_conditional)

./train.py sngan_projection_cifar10
Minutes and score: not measured here
"""
system = 'sngan_projection'

dataset = 'cifar10'
data_dir = 'data/cifar10'
network = '32'
gen_ch = 256
dis_ch = 128
n_classes = 10
batchsize = 64
n_gen_samples = 128
n_dis = 5
loss_type = 'hinge'
alpha = 0.0002
iteration = 50000
iteration_decay_start = 0
snapshot_interval = 10000
evaluation_interval = 1000
