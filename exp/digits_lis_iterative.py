"""R-iterative on the embedded digits, 16x16

./train.py digits_lis_iterative
Minutes and score: not measured here
"""
system = 'lis_iterative'
dataset = 'digits'
image_size = 16
code_size = 32
nfeature = 32
norm = 'batch'
r_iterations = 2
lr = 0.0005
niter = 2000
test_interval = 1000
vis_interval = 1000
save_interval = 1000
log_every = 50
