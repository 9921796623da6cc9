"""The neutral system on 3,786 colour emoji at 32x32: spectral DCGAN, hinge loss, averaged G

./train.py emoji_any
Data: tools/datasets.py emoji
Minutes and score: not measured here
"""
system = 'gan'
data = 'data/emoji'
imsz = 32
architecture = 'dcgan'
width_g = 32
width_d = 32
zlen = 64
weight_d = 'spectral'
loss = 'hinge'
ema = 0.998
lr_g = 0.0003
lr_d = 0.0003
bsz = 64
MAXITER = 4000
SAVEFREQ = 1000
log_every = 50
