"""PGGAN at 1024x1024 with the paper's size and schedule: the flags of the original's README

./train.py pggan_1024
Minutes and score: not measured here
"""
system = "pggan"
data_path = "./data/celeba-hq"
endRes = 1024
latentSize = 512
fmapBase = 8192
fmapMax = 512
fmapDecay = 1.0
samplesWhileStable = 800000
samplesWhileFade = 800000
nCritPerGen = 1
stdDevGroup = 4
