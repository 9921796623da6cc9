"""R-separate on a finished digits_glis, 16x16

./train.py digits_lis_separate
Minutes and score: not measured here
"""
system = 'lis_separate'
dataset = 'digits'
image_size = 16
code_size = 32
nfeature = 32
nlayer = 3
norm = 'batch'
r_iterations = 3
lr = 0.0005
niter = 1000
spatial_dropout_r = 0.1
vis_interval = 500
save_interval = 500
log_every = 50
load_path = 'models/digits_glis'
