"""G-LIS with the JS regulariser on the embedded digits, 16x16

./train.py digits_glis
8 minutes on two CPU cores; 0.89 of the real digits' score, 0.82 by the second judge (docs/lab_notes.md)
"""
system = 'glis'
dataset = 'digits'
image_size = 16
flip = False
code_size = 32
nfeature = 32
nlayer = 3
norm = 'batch'
r_iterations = 3
lambda_r = 0.1
lr = 0.0002
penalty = 'js'
gamma = 5.0
batch_size = 64
niter = 8000
test_interval = 1000
vis_interval = 1000
save_interval = 1000
log_every = 50
