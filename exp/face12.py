"""RP-GAN: 64x64 faces, 12 projections

./train.py face12
Minutes and score: not measured here
"""
ksz = 4
zlen = 100
f1 = 1024
df = 128

imsz = 64
bsz = 64
lfile = 'data/faces.txt'
crop = False

wts_dir = 'models/face12'
SAVEFREQ = 1e3
MAXITER = 1e5

filts = '8,2,1,12'
