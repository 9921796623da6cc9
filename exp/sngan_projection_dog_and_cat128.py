"""Dogs and cats of ImageNet, 128x128, the small networks (sngan_projection, dog_and_cat)

./train.py sngan_projection_dog_and_cat128
Minutes and score: not measured here
"""
system = 'sngan_projection'

dataset = 'imagenet'
data_dir = 'data/imagenet'
class_range = '151-293'
augmentation = True
crop_ratio = 0.9
network = 'small128'
gen_ch = 64
dis_ch = 64
n_classes = 143
batchsize = 16
n_gen_samples = 32
n_dis = 5
loss_type = 'hinge'
alpha = 0.0002
iteration = 450000
iteration_decay_start = 400000
snapshot_interval = 10000
evaluation_interval = 5000
