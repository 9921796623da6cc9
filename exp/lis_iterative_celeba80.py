"""R-iterative, 3 rounds, CelebA at 80x80

./train.py lis_iterative_celeba80
Minutes and score: not measured here
"""
system = 'lis_iterative'
dataset = 'folder'
dataroot = 'data/celeba'
crop_size = 160
image_size = 80
code_size = 256
norm = 'weight'
lr = 0.00005
niter = 300000
