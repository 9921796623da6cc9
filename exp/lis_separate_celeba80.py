"""R-separate on a finished glis_celeba80, spatial dropout 10 %

./train.py lis_separate_celeba80
Minutes and score: not measured here
"""
system = 'lis_separate'
dataset = 'folder'
dataroot = 'data/celeba'
crop_size = 160
image_size = 80
code_size = 256
norm = 'weight'
r_iterations = 1
lr = 0.00005
niter = 2500
spatial_dropout_r = 0.1
load_path = 'models/glis_celeba80'
