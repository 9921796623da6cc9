"""G-LIS, 3 modules, 102 flowers at 80x80

./train.py glis_flowers
Minutes and score: not measured here
"""
system = 'glis'
dataset = 'folder'
dataroot = 'data/102flowers'
crop_size = 450
image_size = 80
augment = 'flowers102'
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 3
niter = 500000
save_interval = 20000
vis_interval = 5000
nb_cache_total = 30000
nb_cache_lists = 3
cache_p_drop = 0.1
