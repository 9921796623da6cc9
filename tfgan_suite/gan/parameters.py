"""Parameters of `gan`, the neutral system. No TensorFlow here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter, whole


def _side(value: int) -> str:
    return "" if value & (value - 1) == 0 else "must be a power of two"


def _filters(value: str) -> str:
    words = value.split(",") if value else ["1"] * 4
    return "" if len(words) == 4 and all(map(whole, words)) else "give K,S,F,N, such as 8,2,3,16"


GAN = (
    Parameter("data", "digits", "digits, cifar10, or a folder of images (with --classes: a folder per class)",
              fixed=True),
    options.BACKGROUND,
    Parameter("imsz", 32, "side of the images: a power of two", minimum=16, maximum=1024, check=_side,
              fixed=True),
    Parameter("channels", 3, "of the images", choices=(1, 3), fixed=True),
    Parameter("classes", 0, "number of classes; 0: labels are not used", minimum=0, fixed=True),
    Parameter("architecture", "dcgan", "pair of networks", choices=tuple(options.ARCHITECTURES), fixed=True),
    Parameter("width_g", 32, "channels of G's last hidden layer", minimum=1, fixed=True),
    Parameter("width_d", 32, "channels of D's first layer", minimum=1, fixed=True),
    Parameter("zlen", 64, "length of a latent", minimum=1, fixed=True),
    Parameter("weight_g", "plain", "parametrisation of G's weights", choices=tuple(options.PARAMETRISATIONS),
              fixed=True),
    Parameter("weight_d", "plain", "parametrisation of D's weights", choices=tuple(options.PARAMETRISATIONS),
              fixed=True),
    Parameter("norm_g", "batch", "normalisation in G", choices=tuple(options.NORMS), fixed=True),
    Parameter("norm_d", "none", "normalisation in D", choices=tuple(options.NORMS), fixed=True),
    Parameter("pixel_norm", False, "pixel norm behind G's layers (Karras et al. 2018)", fixed=True),
    Parameter("minibatch_stddev", 0, "group of D's minibatch standard deviation; 0: none", minimum=0,
              fixed=True),
    Parameter("label_in_d", "projection", "how D sees labels, with classes", fixed=True,
              choices=("none", "concat", "projection", "acgan")),
    Parameter("projections", "",
              "K,S,F,N: N discriminators, each behind a random projection KxKx3->F of stride S",
              check=_filters, fixed=True),
    Parameter("lis_modules", 0, "modules of a learned input space in front of G (arXiv 1707.00768)",
              minimum=0, fixed=True),
    Parameter("lambda_r", 0.1, "weight of their similarity loss", minimum=0.0),
    Parameter("loss", "logistic", "adversarial loss", choices=tuple(options.LOSSES)),
    *options.penalty(offered=tuple(options.PENALTIES)),
    Parameter("penalty_every", 1, "penalties every so many iterations, so many times as strong", minimum=1),
    Parameter("pull_away", 0.0, "weight of the pull-away term in G's loss (arXiv 1609.03126)", minimum=0.0),
    Parameter("acgan_weight", 1.0, "weight of the classifier's losses, with label_in_d=acgan", minimum=0.0),
    Parameter("unroll", 0, "D steps that are undone after each G step (arXiv 1611.02163)", minimum=0),
    Parameter("n_critic", 1, "D steps of an iteration", minimum=1, fixed=True),
    Parameter("lr_g", 0.0002, "Adam's rate of G", minimum=0.0),
    Parameter("lr_d", 0.0002, "Adam's rate of D", minimum=0.0),
    Parameter("beta1", 0.5, "Adam's beta1", minimum=0.0, maximum=0.9999),
    Parameter("beta2", 0.999, "Adam's beta2", minimum=0.0, maximum=0.9999999),
    Parameter("ema", 0.0, "decay of an averaged G, from which samples are drawn; 0: none", minimum=0.0,
              maximum=0.999999,
              change="free"),
    Parameter("bsz", 64, "images of a batch", minimum=2, fixed=True),
    Parameter("MAXITER", 10000, "last iteration", minimum=0, change="free"),
    Parameter("SAVEFREQ", 1000, "iterations between checkpoints; 0: only at the end", minimum=0,
              change="free"),
)

PARAMETERS = {"gan": GAN}
