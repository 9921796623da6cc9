"""PGGAN of the paper on CIFAR-10: as at 1024x1024, up to 32x32, with gradient norms drawn to 750

./train.py pggan_paper_cifar10
Minutes and score: not measured here
"""
system = "pggan"
networks = "paper"
data_path = "./data/cifar10"
inputFilter = "BOX"
mirror = False
endRes = 32
latentSize = 512
fmapBase = 8192
fmapMax = 512
fmapDecay = 1.0
stdDevGroup = 16
batch_table = "4:16,8:16,16:16,32:16"
samplesWhileStable = 800000
samplesWhileFade = 800000
fade_reals = True
obj = 750.0
lamb = 10.0
epsilon = 0.001
gLR = 0.001
cLR = 0.001
gLR_decay = 1.0
cLR_decay = 1.0
reset_optimizer = True
ema = True
smoothing = 0.999
