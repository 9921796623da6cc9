"""PGGAN growing from 4x4 to 16x16 on the embedded digits

./train.py digits_pggan
10 minutes on two CPU cores; 0.81 of the real digits' score (docs/lab_notes.md)
"""
system = "pggan"
data_path = "digits"
endRes = 16
latentSize = 32
fmapBase = 160
fmapMax = 64
obj = 1.0
inputFilter = "BILINEAR"
mirror = False
gLR = 0.002
cLR = 0.002
gLR_decay = 1.0
cLR_decay = 1.0
stdDevGroup = 4
stddev_form = "paper"
batch_table = "4:16,8:16,16:16"
ema = True
smoothing = 0.999
samplesWhileStable = 100000
samplesWhileFade = 10000
saveModelEvery = 20000
saveImageEvery = 10000
logStep = 2000
