"""Parameters of `jsreg_gan64`, the `igul222_GANs` program (`gan_64x64.py`) of rothk/Stabilizing_GANs. No
TensorFlow here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter

ARCHITECTURES = ("ResNet", "DCGAN", "ConstNumofFilters", "MLP", "NoNormalization", "Gated", "tanh",
                 "ResNet101")
MODES = ("regularized_gan", "gan", "wgan", "wgan-gp", "lsgan")
DATASETS = ("celebA", "lsun", "ImageNet", "digits")

GAN64 = (
    Parameter("mode", "regularized_gan", "objective", choices=MODES, fixed=True),
    Parameter("architecture", "ResNet", "networks", choices=ARCHITECTURES, fixed=True),
    Parameter("dataset", "celebA",
              f"real pictures: {', '.join(DATASETS)}, or any folder below data_dir: its train (and "
              "valid) folder, or all its pictures, of which some are held out", fixed=True),
    Parameter("crop_size", None,
              "side of the centre crop before the resize to 64x64 (0: none, the whole picture; default: "
              "celebA 178, lsun 256, others the largest square); pictures of 64x64 stay as they are",
              type=int, minimum=0,
              fixed=True),
    Parameter("data_dir", "data", "folder that holds the data sets", change="free"),
    options.BACKGROUND,
    Parameter("n_gpus", 1,
              "towers: parts of the batch with their own batch statistics, on one device or several",
              minimum=1,
              fixed=True),
    Parameter("iters", 100000, "iterations; iteration 0 trains D only", minimum=1, change="free"),
    *options.penalty(None),
    options.UNREG,
    Parameter("disc_learning_rate", None, "of D (2e-4; wgan-gp and lsgan 1e-4, wgan 5e-5)", type=float,
              minimum=0.0),
    Parameter("gen_learning_rate", None, "of G (the same)", type=float, minimum=0.0),
    Parameter("disc_update_steps", None, "D steps per iteration (1; wgan and wgan-gp 5)", type=int, minimum=1,
              fixed=True),
    Parameter("batch_size", 64, "pictures of one step; a multiple of n_gpus", minimum=1, fixed=True),
    Parameter("DIM", 64, "width of the networks", minimum=1, maximum=4096, fixed=True),
    Parameter("FC_DIM", 512, "width of the hidden layers of the MLP generator", minimum=1, fixed=True),
    Parameter("LAMBDA", 10.0, "weight of wgan-gp's gradient penalty", minimum=0.0, maximum=1e6),
    Parameter("weightnorm", False, "weight normalisation of all linear and convolution layers", fixed=True),
    Parameter("bn_mode", "fused",
              "D's batch norm in regularized_gan: fused is exact (TensorFlow >= 1.4); tf13 has epsilon "
              "1e-4 and inexact second derivatives (TensorFlow < 1.4 and 1.10-1.15); tf13_exact has the "
              "epsilon only",
              choices=("fused", "tf13", "tf13_exact"), fixed=True),
    Parameter("ln_mode", "exact",
              "second derivatives of D's layer norm in wgan-gp: exact, or those of the original",
              choices=("exact", "tf13"), fixed=True),
    Parameter("legacy_batching", False, "the original's off-by-one in its batches, for exact comparison",
              fixed=True),
    Parameter("save_every", 200, "iterations between sample sheets and checkpoints", minimum=1,
              change="free"),
    Parameter("dev_every", 200, "iterations between passes over the validation part (0: never)", minimum=0,
              change="free"),
    Parameter("dev_batches", 0, "batches of one such pass (0: all)", minimum=0, change="free"),
    Parameter("stretch", False,
              "stretch each sheet to its own least and greatest level, as the original's PNG files are",
              change="free"),
)

PARAMETERS = {"jsreg_gan64": GAN64}
