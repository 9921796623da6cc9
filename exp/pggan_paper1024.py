"""PGGAN of the paper at 1024x1024: its networks (table 2), losses, schedule and batches (appendix A.1)

./train.py pggan_paper1024
Minutes and score: not measured here
"""
system = "pggan"
networks = "paper"
data_path = "./data/celeba-hq"
inputFilter = "BOX"
endRes = 1024
latentSize = 512
fmapBase = 8192
fmapMax = 512
fmapDecay = 1.0
stdDevGroup = 16
batch_table = "4:16,8:16,16:16,32:16,64:16,128:16,256:14,512:6,1024:3"
samplesWhileStable = 800000
samplesWhileFade = 800000
fade_reals = True
obj = 1.0
lamb = 10.0
epsilon = 0.001
gLR = 0.001
cLR = 0.001
gLR_decay = 1.0
cLR_decay = 1.0
reset_optimizer = True
ema = True
smoothing = 0.999
