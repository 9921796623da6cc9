"""Parameters of `jsreg_mixture`, the `3DGAN` program of rothk/Stabilizing_GANs. No TensorFlow here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter

MIXTURE = (
    Parameter("z_dim", 2, "length of z", minimum=1, fixed=True),
    Parameter("hidden", 128, "width of the two hidden layers of both networks", minimum=1, fixed=True),
    Parameter("components", 7, "number of Gaussians, on a circle", minimum=1, fixed=True),
    Parameter("radius", 1.0, "radius of that circle", minimum=0.0, fixed=True),
    Parameter("std", 0.01, "standard deviation of each Gaussian", minimum=1e-6, fixed=True),
    Parameter("batch_size", 512, "points of one D or G step", minimum=1, fixed=True),
    Parameter("max_steps", 100000, "iterations of one run", minimum=1, change="later"),
    Parameter("num_runs", 3, "independent repetitions, one after the other", minimum=1, change="free"),
    Parameter("disc_pretrain_steps", 0, "D steps before the first iteration", minimum=0, fixed=True),
    Parameter("disc_update_steps", 1, "D steps per iteration (0: none)", minimum=0, fixed=True),
    Parameter("gen_update_steps", 1, "G steps per iteration (0: none)", minimum=0, fixed=True),
    *options.penalty(None),
    options.UNREG,
    Parameter("alt_gen_loss", False, "the non-saturating G loss; the default is the saturating one"),
    Parameter("sgd", False, "plain SGD for both networks (wins over rmsprop)", fixed=True),
    Parameter("rmsprop", False, "RMSProp for both networks; the default is Adam", fixed=True),
    Parameter("disc_learning_rate", 0.001, "constant learning rate of D", minimum=0.0),
    Parameter("gen_learning_rate", 0.001, "constant learning rate of G", minimum=0.0),
    Parameter("uniform_prior", False, "z ~ U[-1, 1) instead of N(0, 1)", fixed=True),
    Parameter("wall_clock", False,
              "count D and G updates in one counter, on the axis of the figure and of the console",
              change="free"),
    Parameter("viz_batches", 10, "G batches in one snapshot", minimum=1, fixed=True),
    Parameter("plot_freq", 10000, "iterations between snapshots", minimum=1, fixed=True),
    Parameter("summary_freq", 1,
              "iterations between two summaries of a fresh batch in log_dir/summaries (0: none)", minimum=0,
              change="free"),
    Parameter("save_every", 10000, "iterations between checkpoints", minimum=1, change="free"),
)

PARAMETERS = {"jsreg_mixture": MIXTURE}
