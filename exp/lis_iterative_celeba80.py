"""R-iterative, 3 rounds, CelebA at 80x80"""
system = 'lis_iterative'
dataset = 'folder'
dataroot = 'data/celeba'
crop_size = 160
image_size = 80
code_size = 256
norm = 'weight'
lr = 0.00005
niter = 300000
