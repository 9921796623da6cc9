"""CIFAR-10 without labels, the authors' networks (sngan_projection, sn_cifar10_unconditional)

./train.py sngan_projection_cifar10_uncond
The paper (arXiv 1802.05957, table 2) has an Inception score of 8.22 and an FID of 21.7; not measured here
"""
system = 'sngan_projection'

dataset = 'cifar10'
data_dir = 'data/cifar10'
network = '32'
gen_ch = 256
dis_ch = 128
n_classes = 0
batchsize = 64
n_gen_samples = 128
n_dis = 5
loss_type = 'hinge'
alpha = 0.0002
iteration = 50000
iteration_decay_start = 0
snapshot_interval = 10000
evaluation_interval = 1000
