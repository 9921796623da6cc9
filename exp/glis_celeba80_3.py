"""G-LIS, 3 modules, CelebA at 80x80

./train.py glis_celeba80_3
Minutes and score: not measured here
"""
system = 'glis'
dataset = 'folder'
dataroot = 'data/celeba'
crop_size = 160
image_size = 80
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 3
niter = 300000
