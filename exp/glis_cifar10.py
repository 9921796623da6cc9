"""G-LIS, 3 modules, CIFAR-10 at 32x32

./train.py glis_cifar10
Minutes and score: not measured here
"""
system = 'glis'
dataset = 'cifar10'
dataroot = 'data/cifar-10'
crop_size = 28
image_size = 32
augment = 'cifar10'
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 3
niter = 1000000
save_interval = 25000
vis_interval = 1000
nlayer = 4
nfeature = 128
lambda_r = 0.9
nb_cache_total = 0  # the original's command gives 300000, but its program keeps no images of CIFAR-10
