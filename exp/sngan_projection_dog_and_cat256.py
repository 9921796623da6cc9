"""Dogs and cats of ImageNet, 256x256 (pfnet-research/sngan_projection, dog_and_cat_256)

./train.py sngan_projection_dog_and_cat256
Minutes and score: not measured here
"""
system = 'sngan_projection'

dataset = 'imagenet'
data_dir = 'data/imagenet'
class_range = '151-293'
augmentation = True
crop_ratio = 0.9
network = '256'
gen_ch = 32
dis_ch = 32
n_classes = 143
batchsize = 8
n_gen_samples = 16
n_dis = 5
loss_type = 'hinge'
alpha = 0.0002
iteration = 450000
iteration_decay_start = 400000
snapshot_interval = 10000
evaluation_interval = 5000
