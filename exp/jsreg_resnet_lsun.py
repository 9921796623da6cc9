"""JS-regularised ResNet, 64x64 LSUN bedrooms

./train.py jsreg_resnet_lsun
The original's gan_64x64.py --architecture=ResNet --gamma=2.0 --annealing --dataset=lsun
Minutes and score: not measured here
"""
system = 'jsreg_gan64'
architecture = 'ResNet'
mode = 'regularized_gan'
dataset = 'lsun'
gamma = 2.0
annealing = True
iters = 100000
