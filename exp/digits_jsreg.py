"""JS-regularised DCGAN on the embedded digits, 24x24

./train.py digits_jsreg
At most 22 minutes on a busy CPU core; 0.92 of the real digits' score, 0.85 by the second judge
(docs/lab_notes.md)
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
