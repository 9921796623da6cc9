"""JS-regularised DCGAN, 64x64 CelebA: main.py of the original without flags; any --dataset=NAME

./train.py jsreg_dcgan
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
