"""Tiny runs that cover every system: what a change of the code must not change.

Each trains four iterations on data that is made here or embedded, and saves after two.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np

LIS = ("dataset, image_size, nlayer, code_size, nfeature, batch_size = 'digits', 8, 2, 5, 4, 4\n"
       "vis_size, test_steps, niter, save_interval, test_interval, vis_interval = 2, 2, 4, 2, 100, 100\n")
SNGAN = ("system, DATASET, NETWORK, BATCH_SIZE, DIM_G, DIM_D, DIM_Z = 'sngan', 'digits', 'digits', 4, 2, 3, "
         "4\n"
         "EMBEDDING_DIM, N_CRITIC, ITERS, SAVEFREQ, INCEPTION_FREQUENCY, LR = 3, 2, 4, 2, 0, 0.01\n"
         "SINGULAR_FREQUENCY = 0\n")
PROJECTION = ("system, dataset, network, gen_ch, dis_ch, dim_z, dim_emb = 'sngan_projection', 'digits', "
              "'16', 4, 3, 4, 3\n"
              "batchsize, n_gen_samples, n_dis, iteration, snapshot_interval, alpha = 4, 6, 2, 4, 2, 0.01\n"
              "evaluation_interval, SINGULAR_FREQUENCY = 0, 0\n")
RPGAN = ("ksz, zlen, f1, df, imsz, bsz = 4, 6, 16, 4, 16, 4\n"
         "embedded, lfile, SAVEFREQ, MAXITER = 'digits', 'data/d/list.txt', 2, 4\n")
DCGAN = ("system, z_dim, gf_dim, df_dim, final_samples, save_every = 'jsreg_dcgan', 4, 2, 2, 0, 2\n"
         "batch_size, epochs, dataset_size, gamma, annealing, gfc_dim, dfc_dim = 4, 4, 4, 2.0, True, 8, 8\n")
GAN64 = ("system, dataset, batch_size, iters, save_every, dev_every = 'jsreg_gan64', 'digits', 4, 4, 2, 0\n")
PGGAN = ("system, fmapBase, fmapMax, latentSize, endRes, stdDevGroup = 'pggan', 16, 6, 5, 8, 2\n"
         "batch_table, obj, data_path, inputFilter = '4:4,8:4', 1.0, 'digits', 'BILINEAR'\n"
         "saveModelEvery, saveImageEvery, logStep = 4, 1000, 1000\n")

CASES = {  # name -> experiment
    "rpgan": RPGAN + "filts, filts_seed = '4,2,1,3', 3\n",
    "rpgan_js": RPGAN + "filts, filts_seed, penalty, gamma = '4,2,2,3', 3, 'js', 2.0\n",
    "rpgan_baseline": RPGAN + "system = 'rpgan_baseline'\n",
    "glis_weight": LIS + "system, norm, d_dropout, r_iterations = 'glis', 'weight', 0.2, 2\n",
    "glis_batch": LIS + "system, norm, penalty, ls, g_upscaling = 'glis', 'batch', 'js', True, 'nearest'\n",
    "lis_iterative": LIS
    + "system, norm, r_iterations, spatial_dropout_r = 'lis_iterative', 'weight-affine', 2, 0.1\n",
    "lis_separate": LIS
    + "system, norm, r_iterations, load_path = 'lis_separate', 'weight', 2, 'models/glis_weight'\n",
    "dcgan": DCGAN + "dataset, output_height = 'digits', 16\n",
    "dcgan_mnist": DCGAN + "dataset, rmsprop, bn_mode = 'mnist', True, 'tf13'\n",
    "gan64": GAN64 + "architecture, mode, DIM = 'DCGAN', 'regularized_gan', 2\n",
    "gan64_gp": GAN64
    + "architecture, mode, DIM, weightnorm, ln_mode = 'ResNet', 'wgan-gp', 2, True, 'tf13'\n",
    "mixture": "system, hidden, batch_size, viz_batches, plot_freq = 'jsreg_mixture', 8, 16, 2, 100\n"
               "max_steps, num_runs, save_every = 2, 2, 1\n",
    "sngan": SNGAN,
    "sngan_gp": SNGAN + "CONDITIONAL, NORMALIZATION_D, LOSS_TYPE = False, True, 'WGAN-GP'\n",
    "sngan_acgan": SNGAN + "ACGAN, CONCAT_LABEL, LOSS_TYPE, penalty = True, True, 'Goodfellow', 'js'\n",
    "projection": PROJECTION + "penalty = 'js'\n",
    "projection_concat": PROJECTION + "concat = True\n",
    "pggan": PGGAN + "samplesWhileStable, samplesWhileFade, ema = 4, 8, True\n",
    "pggan_began": PGGAN
    + ("samplesWhileStable, samplesWhileFade, criticLossFunc, extraLossTerm = 4, 8, 'BEGAN', 'TVP'\n"
                            "unrollCritic, paterm, stdDevGroup = 1, 1, 0\n"),
}
BFLOAT16 = ("rpgan", "rpgan_baseline", "dcgan", "sngan", "projection", "pggan")
EARLIER = {"lis_separate": "glis_weight"}  # cases that need the checkpoints of another one


def prepare(folder: Path) -> None:
    """Writes the experiments `exp/<case>.py` and a small MNIST below `folder`."""
    (folder / "exp").mkdir(parents=True)
    for name, text in CASES.items():
        (folder / f"exp/{name}.py").write_text(text + "log_every = 1\n")
    mnist = folder / "data/mnist"
    mnist.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, count in (("train", 12), ("t10k", 4)):
        arrays = {"images-idx3": draw.integers(0, 256, (count, 28, 28), np.uint8)}
        arrays["labels-idx1"] = draw.integers(0, 10, count, np.uint8)
        for (kind, array), magic in zip(arrays.items(), (0x803, 0x801)):
            head = np.array([magic, *array.shape], ">u4").tobytes()
            (mnist / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
