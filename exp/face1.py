"""RP-GAN's baseline: one discriminator on 64x64 faces

./baseline_train.py face1
Minutes and score: not measured here
"""
ksz = 4
zlen = 100
f1 = 1024
df = 64

imsz = 64
bsz = 64
lfile = 'data/faces.txt'
crop = False

wts_dir = 'models/face1'
SAVEFREQ = 1e3
MAXITER = 1e5
