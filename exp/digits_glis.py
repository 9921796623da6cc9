"""G-LIS on the embedded handwritten digits, 16x16; minutes on two CPU cores"""
system = 'glis'
dataset = 'digits'
image_size = 16
flip = False
code_size = 32
nfeature = 32
norm = 'batch'
r_iterations = 3
lambda_r = 0.1
lr = 0.0005
batch_size = 64
niter = 2000
test_interval = 1000
vis_interval = 1000
save_interval = 1000
log_every = 50
