"""JS-regularised DCGAN on 3,786 colour emoji at 32x32

./train.py emoji_jsreg
Data: tools/datasets.py emoji
Minutes and score: not measured here
"""
system = 'jsreg_dcgan'
dataset = 'emoji'
data_dir = 'data'
input_fname_pattern = '*.png'
input_height = 64
output_height = 32
z_dim = 64
gf_dim = 16
df_dim = 16
batch_size = 32
epochs = 60
disc_learning_rate = 0.0005
gen_learning_rate = 0.0005
gamma = 5.0
annealing = True
decay_factor = 0.09
save_every = 1000
final_samples = 0
