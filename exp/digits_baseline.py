"""The one-discriminator baseline of RP-GAN on the embedded digits

./baseline_train.py digits_baseline
Minutes and score: not measured here
"""
system = 'rpgan_baseline'
ksz = 4
zlen = 32
f1 = 128
df = 16

imsz = 16
bsz = 64
embedded = 'digits'
lfile = 'data/digits16/list.txt'
crop = False

SAVEFREQ = 2e3
MAXITER = 14e3
log_every = 100
