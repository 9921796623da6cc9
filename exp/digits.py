"""RP-GAN on the embedded digits, 16x16, 16 projections

./train.py digits
5 minutes on two CPU cores; 0.81 to 0.83 of the real digits' score (docs/lab_notes.md)
"""
ksz = 4
zlen = 32
f1 = 128
df = 16

imsz = 16
bsz = 64
embedded = 'digits'
lfile = 'data/digits16/list.txt'
crop = False

filts = '8,2,3,16'
filts_seed = 0
SAVEFREQ = 2e3
MAXITER = 14e3
log_every = 100
