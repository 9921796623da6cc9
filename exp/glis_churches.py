"""G-LIS, 1 module, LSUN churches padded to squares of 80x80

./train.py glis_churches
Minutes and score: not measured here
"""
system = 'glis'
dataset = 'folder'
dataroot = 'data/church_outdoor_train_80x80_square'
crop_size = 76
image_size = 80
augment = 'lsun_churches'
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 1
niter = 500000
save_interval = 20000
vis_interval = 5000
