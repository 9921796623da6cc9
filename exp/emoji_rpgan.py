"""RP-GAN on 3,786 colour emoji at 32x32, 16 projections

./train.py emoji_rpgan
Data: tools/datasets.py emoji
Minutes and score: not measured here
"""
ksz = 4
zlen = 64
f1 = 256
df = 32

imsz = 32
bsz = 64
lfile = 'data/emoji.txt'
crop = True

filts = '8,2,3,16'
filts_seed = 0
SAVEFREQ = 1e3
MAXITER = 4e3
log_every = 100
