"""RP-GAN on 3,786 colour emoji at 32x32, 8 projections

./train.py emoji_rpgan
Data: tools/datasets.py emoji
Minutes and score: not measured here
"""
ksz = 4
zlen = 64
f1 = 128
df = 16

imsz = 32
bsz = 32
lfile = 'data/emoji.txt'
crop = True

filts = '8,2,1,8'
filts_seed = 0
SAVEFREQ = 1e3
MAXITER = 1e4
log_every = 100
