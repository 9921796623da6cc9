"""RP-GAN baseline: one discriminator on 64x64 faces (run with baseline_train.py)"""
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
