"""Parameters of `sngan_projection`: the configuration of pfnet-research/sngan_projection. No TensorFlow
here."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter


def class_range(text: str | None) -> tuple[int, int] | None:
    """'151-293' -> (151, 293), both included; None for all classes.

    Raises:
        ValueError: no such range.
    """
    if not text:
        return None
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise ValueError(f"'{text}' is no range of classes; write FIRST-LAST, such as 151-293")
    return int(first), int(last)


def _range(value) -> str:
    try:
        class_range(value)
    except ValueError as error:
        return str(error)
    return ""


PROJECTION = (
    *options.labelled_images("dataset", "data_dir"),
    Parameter("class_range", None,
              "FIRST-LAST: only these classes of the data, numbered anew from 0 (dogs and cats of "
              "ImageNet: 151-293)", type=str, check=_range, fixed=True),
    Parameter("augmentation", False, "train on random squares of the images, half of them mirrored"),
    Parameter("crop_ratio", 1.0, "side of these squares as a share of the shorter side", minimum=0.01,
              maximum=1.0),
    Parameter("network", "32", "pair of networks, by image size",
              choices=("16", "32", "64", "128", "small128", "256"),
              type=str, fixed=True),
    Parameter("concat", False, "the concat discriminator in place of the projection", fixed=True),
    Parameter("gen_ch", 256, "width of the generator", minimum=1, fixed=True),
    Parameter("dis_ch", 128, "width of the discriminator", minimum=1, fixed=True),
    Parameter("dim_z", 128, "length of a latent", minimum=1, fixed=True),
    Parameter("distribution", "normal", "of the latents: N(0, 1), or uniform in [-1, 1)",
              choices=("normal", "uniform"),
              fixed=True),
    Parameter("dim_emb", 128, "width of the label embedding of the concat discriminator", minimum=1,
              fixed=True),
    Parameter("n_classes", 10, "number of classes (0: unconditional)", minimum=0, fixed=True),
    Parameter("batchsize", 64, "real images of a discriminator step; as many fakes", minimum=1, fixed=True),
    Parameter("n_gen_samples", 128, "fakes of a generator step", minimum=1),
    Parameter("n_dis", 5, "discriminator steps an iteration", minimum=1),
    Parameter("loss_type", "hinge", "adversarial loss", choices=("hinge", "dcgan")),
    Parameter("sn_stop_gradient", True, "stop the gradient at the power iteration"),
    Parameter("alpha", 0.0002, "Adam's base rate", minimum=0.0),
    Parameter("beta1", 0.0, "Adam's beta1", minimum=0.0, maximum=0.9999),
    Parameter("beta2", 0.9, "Adam's beta2", minimum=0.0, maximum=0.9999999),
    Parameter("iteration", 50000, "iterations", minimum=1, change="free"),
    Parameter("iteration_decay_start", 0,
              "iteration from which the learning rate falls, linearly to 0 at the end", minimum=0),
    Parameter("snapshot_interval", 10000, "iterations between checkpoints (0: at the end only)", minimum=0,
              change="free"),
    Parameter("evaluation_interval", 1000, "iterations between inception scores (0: none)", minimum=0,
              change="free"),
    Parameter("evaluation_samples", 5000, "samples of an inception score", minimum=1, change="free"),
    Parameter("SINGULAR_FREQUENCY", 1000, "iterations between readings of the singular values (0: none)",
              minimum=0,
              change="free"),
    *options.penalty(),
)

PARAMETERS = {"sngan_projection": PROJECTION}
