"""SNGAN without labels on 3,786 colour emoji at 32x32

./train.py emoji_sngan
Data: tools/datasets.py emoji
Minutes and score: not measured here
"""
system = 'sngan_projection'

dataset = 'folder'
data_dir = 'data/emoji'
network = '32'
gen_ch = 32
dis_ch = 16
dim_z = 64
n_classes = 0
batchsize = 32
n_gen_samples = 32
n_dis = 1
alpha = 0.0004
iteration = 4000
iteration_decay_start = 2000
snapshot_interval = 500
evaluation_interval = 0
SINGULAR_FREQUENCY = 0
