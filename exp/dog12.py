"""RP-GAN: 128x128 dogs, resized and cropped, 12 projections

./train.py dog12
Minutes and score: not measured here
"""
ksz = 4
zlen = 200
f1 = 2048
df = 64

imsz = 128
bsz = 64
lfile = 'data/dogs.txt'
crop = True

wts_dir = 'models/dog12'
SAVEFREQ = 1e3
MAXITER = 1e5

filts = '8,2,1,12'
