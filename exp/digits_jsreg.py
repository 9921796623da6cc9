"""JS-regularised DCGAN on the embedded digits, 24x24

./train.py digits_jsreg
7 minutes on two CPU cores; 0.86 to 0.87 of the real digits' score (docs/results.md)
"""
system = 'jsreg_dcgan'
dataset = 'digits'
output_height = 24
z_dim = 32
gf_dim = 16
df_dim = 16
batch_size = 64
epochs = 400
disc_learning_rate = 0.0005
gen_learning_rate = 0.0005
gamma = 5.0
annealing = True
decay_factor = 0.09
save_every = 1350
final_samples = 0
