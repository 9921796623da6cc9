"""G-LIS, 1 module, CelebA at 160x160

./train.py glis_celeba160
Minutes and score: not measured here
"""
system = 'glis'
dataset = 'folder'
dataroot = 'data/celeba'
crop_size = 160
image_size = 160
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 1
niter = 570000
