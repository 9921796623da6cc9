"""JS-regularised DCGAN on the embedded digits: minutes on two CPU cores"""
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
