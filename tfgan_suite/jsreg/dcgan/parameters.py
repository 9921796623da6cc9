"""Parameters of `jsreg_dcgan`, the `carpedm20_DCGAN` program of rothk/Stabilizing_GANs. No TensorFlow
here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter

DCGAN = (
    Parameter("dataset", "celebA", "mnist, cifar10, celebA, lsun, digits, or any folder name under data_dir",
              fixed=True),
    Parameter("data_dir", "data", "folder that holds the data sets", change="free"),
    Parameter("input_fname_pattern", "*.jpg", "which files of data_dir/dataset are images", fixed=True),
    options.BACKGROUND,
    Parameter("input_height", 108,
              "height of the centre crop (celebA: always 108; mnist, cifar10, digits: not cropped)",
              minimum=1, fixed=True),
    Parameter("input_width", None, "its width (default: input_height)", type=int, minimum=1, fixed=True),
    Parameter("output_height", None,
              "height of the images that the networks see (default: 28 for mnist, 32 for cifar10, "
              "else 64)", type=int, minimum=4, maximum=1024, fixed=True),
    Parameter("output_width", None, "their width (default: output_height)", type=int, minimum=4, maximum=1024,
              fixed=True),
    Parameter("epochs", 10, "passes over the data", minimum=1, change="free"),
    Parameter("dataset_size", 0, "use as many iterations per epoch as a set of this size would have (0: all)",
              minimum=0),
    Parameter("batch_size", 64, "images of one D or G step; the first batch of the data is held out",
              minimum=1, fixed=True),
    Parameter("disc_update_steps", 1, "D steps per G step", minimum=1, fixed=True),
    *options.penalty(None),
    options.UNREG,
    Parameter("rmsprop", False, "RMSProp instead of Adam, for both networks", fixed=True),
    Parameter("disc_learning_rate", 0.0002, "constant learning rate of D", minimum=0.0),
    Parameter("gen_learning_rate", 0.0002, "constant learning rate of G", minimum=0.0),
    Parameter("gaussian_prior", False, "z ~ N(0, 1) instead of U[-1, 1)", fixed=True),
    Parameter("z_dim", 100, "length of z", minimum=1, fixed=True),
    Parameter("gf_dim", 64, "filters of G's last hidden layer", minimum=1, fixed=True),
    Parameter("df_dim", 64, "filters of D's first layer", minimum=1, fixed=True),
    Parameter("gfc_dim", 1024, "width of G's dense layer (mnist)", minimum=1, fixed=True),
    Parameter("dfc_dim", 1024, "width of D's dense layer (mnist)", minimum=1, fixed=True),
    Parameter("bn_mode", "fused",
              "batch norm: fused has exact second derivatives (TensorFlow >= 1.4), tf13 is that of "
              "TensorFlow 1.3, whose regulariser gradient is 20 to 80 % off", choices=("fused", "tf13"),
              fixed=True),
    Parameter("save_every", 100, "iterations between checkpoints (and after the first one)", minimum=1,
              change="free"),
    Parameter("final_samples", 10000,
              "images written to log_dir/samps_10k after training, in whole batches (0: none)",
              minimum=0,
              change="free"),
)

PARAMETERS = {"jsreg_dcgan": DCGAN}
