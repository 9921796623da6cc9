"""RP-GAN on the embedded digits: minutes on two CPU cores"""
ksz = 4
zlen = 32
f1 = 128
df = 16

imsz = 16
bsz = 64
embedded = 'digits'
lfile = 'data/digits16/list.txt'
crop = False

filts = '4,2,1,4'
filts_seed = 0
SAVEFREQ = 1e3
MAXITER = 5e3
