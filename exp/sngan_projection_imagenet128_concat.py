"""ImageNet 128x128 with the label concatenated in D (sngan_projection, sn_concat)

./train.py sngan_projection_imagenet128_concat
The paper (arXiv 1802.05637, table 1) has an Inception score of 21.1 and an intra FID of 141.2; not
measured here
"""
system = 'sngan_projection'

dataset = 'imagenet'
data_dir = 'data/imagenet'
network = '128'
concat = True
dim_emb = 128
gen_ch = 64
dis_ch = 64
n_classes = 1000
batchsize = 64
n_gen_samples = 128
n_dis = 5
loss_type = 'hinge'
alpha = 0.0002
iteration = 450000
iteration_decay_start = 400000
snapshot_interval = 10000
evaluation_interval = 5000
