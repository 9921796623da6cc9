"""Parameters of `sngan`: the constants of watsonyanghx/GAN_Lib_Tensorflow's SNGAN scripts. No TensorFlow
here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter


def _even(value) -> str:
    return (
        ""
        if value % 2 == 0
        else "must be even: the fakes are made in two halves with batch statistics of their own"
    )


SNGAN = (
    *options.labelled_images("DATASET", "DATA_DIR"),
    Parameter("NETWORK", "cifar",
              "table of widths: cifar 32x32, imagenet 128x128, imagenet64 64x64, digits 16x16",
              choices=("cifar", "imagenet", "imagenet64", "digits"), fixed=True),
    Parameter("BATCH_SIZE", 64, "real images of a critic step; as many fakes", minimum=2, check=_even,
              fixed=True),
    Parameter("GEN_BS_MULTIPLE", 2, "fakes of a generator step, as a multiple of BATCH_SIZE", minimum=1),
    Parameter("ITERS", 100000, "iterations (the first has no generator step)", minimum=1, change="free"),
    Parameter("DIM_G", 128, "width of the generator", minimum=1, fixed=True),
    Parameter("DIM_D", 128, "width of the discriminator, and of its label vector", minimum=1, fixed=True),
    Parameter("DIM_Z", 128, "length of a latent", minimum=1, fixed=True),
    Parameter("NORMALIZATION_G", True, "(conditional) batch norm in the generator", fixed=True),
    Parameter("NORMALIZATION_D", False, "layer norm in the discriminator", fixed=True),
    Parameter("CONDITIONAL", True,
              "class-conditional batch norm in the generator, labels in the discriminator", fixed=True),
    Parameter("LABEL_IN_D", None,
              "labels in the discriminator (default: as CONDITIONAL; True with CONDITIONAL=False is the "
              "original's wiring)", type=bool, fixed=True),
    Parameter("CONCAT_LABEL", False, "a label vector is appended to the latent", fixed=True),
    Parameter("VOCAB_SIZE", 10, "number of classes", minimum=1, fixed=True),
    Parameter("EMBEDDING_DIM", 300, "width of the label embedding", minimum=1, fixed=True),
    Parameter("WORD2VEC_FILE", None, ".npy file of a fixed label embedding [VOCAB_SIZE, EMBEDDING_DIM]",
              type=str, fixed=True),
    Parameter("ACGAN", False, "auxiliary classifier on the discriminator's features (with CONDITIONAL)",
              fixed=True),
    Parameter("ACGAN_SCALE", 1.0, "weight of the classifier's loss on real images in the discriminator",
              minimum=0.0),
    Parameter("ACGAN_SCALE_G", 0.1, "weight of the classifier's loss on fakes in the generator", minimum=0.0),
    Parameter("LOSS_TYPE", "HINGE", "adversarial loss", choices=("HINGE", "Goodfellow", "WGAN", "WGAN-GP")),
    Parameter("SOFT_PLUS", False, "the original's softplus form of the loss"),
    Parameter("GP_WEIGHT", 10.0, "weight of the gradient penalty of WGAN-GP", minimum=0.0),
    Parameter("SN_STOP_GRADIENT", False,
              "stop the gradient at the power iteration, as the paper's authors do"),
    Parameter("SN_ITERATIONS", 1, "power iterations a call", minimum=1),
    Parameter("N_CRITIC", 5, "discriminator steps an iteration", minimum=1),
    Parameter("LR", 0.0002, "Adam's base rate", minimum=0.0),
    Parameter("BETA1", 0.0, "Adam's beta1", minimum=0.0, maximum=0.9999),
    Parameter("BETA2", 0.9, "Adam's beta2", minimum=0.0, maximum=0.9999999),
    Parameter("DECAY", True, "let the learning rate decay"),
    Parameter("DECAY_RULE", "cifar",
              "cifar: to a half at half time of ITERS, then constant; linear: to 0 from DECAY_START on; "
              "imagenet_original: the original's ImageNet rule with its "
              "jump", choices=("cifar", "linear", "imagenet_original")),
    Parameter("DECAY_START", 0, "iteration at which linear and imagenet_original begin", minimum=0),
    Parameter("INCEPTION_FREQUENCY", 1000, "iterations between inception scores (0: none)", minimum=0,
              change="free"),
    Parameter("INCEPTION_SAMPLES", 50000, "samples of an inception score", minimum=10, change="free"),
    Parameter("INCEPTION_NEW", False,
              "tf.contrib.gan's score, which the original's scripts import, not the published one",
              change="free"),
    Parameter("DEV_FREQUENCY", 100,
              "iterations between discriminator costs on CIFAR-10's test images (0: none)", minimum=0,
              change="free"),
    Parameter("SINGULAR_FREQUENCY", 1000, "iterations between readings of the singular values (0: none)",
              minimum=0,
              change="free"),
    Parameter("SAVEFREQ", 1000, "iterations between checkpoints and curves (0: at the end only)", minimum=0,
              change="free"),
    Parameter("KEEP_EVERY", 10000, "older generators that stay: those of a multiple of this (0: none)",
              minimum=0,
              change="free"),
    *options.penalty(),
)

PARAMETERS = {"sngan": SNGAN}
