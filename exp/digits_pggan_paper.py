"""PGGAN of the paper, small, growing from 4x4 to 16x16 on the embedded digits: minutes on two CPU cores

./train.py digits_pggan_paper
Minutes and score: not measured here
"""
system = "pggan"
networks = "paper"
data_path = "digits"
inputFilter = "BOX"
mirror = False
endRes = 16
latentSize = 32
fmapBase = 160
fmapMax = 64
stdDevGroup = 4
batch_table = "4:16,8:16,16:16"
samplesWhileStable = 100000
samplesWhileFade = 10000
fade_reals = True
obj = 1.0
gLR = 0.002
cLR = 0.002
gLR_decay = 1.0
cLR_decay = 1.0
reset_optimizer = True
ema = True
smoothing = 0.999
saveModelEvery = 20000
saveImageEvery = 10000
logStep = 2000
