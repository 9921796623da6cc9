"""G-LIS, 1 module, 10k cats at 64x64: 3 layers, nearest upscaling, dropout in D

./train.py glis_10kcats
Minutes and score: not measured here (its README gives no rate of the dropout)
"""
system = 'glis'
dataset = 'folder'
dataroot = 'data/10kcats'
image_size = 64
nlayer = 3
g_upscaling = 'nearest'
d_dropout = 0.5
augment = '10kcats'
code_size = 256
norm = 'weight'
lr = 0.00002
r_iterations = 1
niter = 600000
