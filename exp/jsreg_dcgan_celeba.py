"""JS-regularised DCGAN, 32x32 CelebA faces

./train.py jsreg_dcgan_celeba
The original's main.py --gamma=2.0 --annealing --epochs=10 --dataset=celebA --output_height=32
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
dataset = 'celebA'
output_height = 32
gamma = 2.0
annealing = True
epochs = 10
