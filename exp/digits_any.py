"""The neutral system on the embedded digits, 16x16: any cure on any network by one option each

./train.py digits_any
Minutes and score: not measured here
"""
system = 'gan'
data = 'digits'
imsz = 16
architecture = 'dcgan'
width_g = 32
width_d = 32
zlen = 32
lr_g = 0.0005
lr_d = 0.0005
bsz = 64
MAXITER = 4000
SAVEFREQ = 1000
log_every = 50
