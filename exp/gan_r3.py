"""A baseline of today (R3GAN, arXiv 2501.05441) on the digits: relativistic pairs, R1 and R2, no norms

./train.py gan_r3
Minutes and score: not measured here
"""
system = 'gan'
data = 'digits'
imsz = 16
architecture = 'resnet'
norm_g = 'none'
norm_d = 'none'
loss = 'relativistic'
penalty = 'r1,r2'
r1_weight = 1.0
r2_weight = 1.0
beta1 = 0.0
beta2 = 0.99
ema = 0.998
width_g = 32
width_d = 32
zlen = 32
lr_g = 0.0005
lr_d = 0.0005
bsz = 64
MAXITER = 4000
SAVEFREQ = 1000
log_every = 50
