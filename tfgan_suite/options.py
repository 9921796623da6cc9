"""Parameters that several systems share. No TensorFlow here.

A system whose D loss takes extra terms adds `*options.penalty()` to its tuple; defaults other than these are
arguments.
"""
from __future__ import annotations

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

UNREG = Parameter("unreg", False,
                  "no Jensen-Shannon regulariser (the original's switch; the same as penalty=none)")
PENALTIES = {  # name of a function in `penalties` -> what it is
    "js": "the Jensen-Shannon gradient regulariser (Roth et al. 2017)",
    "r1": "squared gradient norms at real images (Mescheder et al. 2018)",
    "r2": "squared gradient norms at generated images (Mescheder et al. 2018)",
    "wgan_gp": "gradient norms between real and generated images are drawn to 1 (Gulrajani et al. 2017)",
    "0gp": "gradient norms between real and generated images are drawn to 0 (as alenmora/ppgan)",
    "drift": "squared logits of real images (Karras et al. 2018)",
    "tv": "distance of the logits' difference from tv_delta (as alenmora/ppgan)",
}
PENALTY_WEIGHTS = {  # penalty -> its parameters beside js' own
    "r1": (("r1_weight", 10.0, "weight of r1; D minimises loss + r1_weight/2 * mean |grad D(real)|^2"),),
    "r2": (("r2_weight", 10.0, "weight of r2; D minimises loss + r2_weight/2 * mean |grad D(fake)|^2"),),
    "wgan_gp": (("gp_weight", 10.0, "weight of wgan_gp"),),
    "0gp": (("zero_gp_weight", 10.0, "weight of 0gp"),),
    "drift": (("drift_weight", 0.001, "weight of drift"),),
    "tv": (("tv_weight", 0.1, "weight of tv"), ("tv_delta", 5.0, "offset of tv")),
}
_COLOUR = "colour in place of transparent parts of pictures, such as black or #808080"


def _is_colour(value: str) -> str:
    from tfgan_suite.data import rgb  # the readers of pictures are only loaded where one is named

    return rgb.no_colour(value)


BACKGROUND = Parameter("background", "white", _COLOUR, check=_is_colour)
STORED_BACKGROUND = Parameter("background", None, _COLOUR + " (default: the colours stored under them show, "
                              "as in the original)", type=str, check=_is_colour)
# What the neutral system chooses from; each name is registered in the module that the comment names.
LOSSES = {  # losses.LOSSES
    "logistic": "non-saturating (Goodfellow et al. 2014)",
    "saturating": "minimax (Goodfellow et al. 2014)",
    "hinge": "hinge (Miyato et al. 2018)",
    "wasserstein": "difference of means (Arjovsky et al. 2017)",
    "least_squares": "least squares (Mao et al. 2017)",
    "relativistic": "logistic of pairs (R3GAN, arXiv 2501.05441)",
}
PARAMETRISATIONS = {  # layers.weights.WEIGHTS
    "plain": "as stored",
    "spectral": "divided by the largest singular value (Miyato et al. 2018)",
    "gain": "weight norm (Salimans and Kingma 2016)",
    "equalised": "equalised learning rate (Karras et al. 2018)",
}
NORMS = {  # layers.norms.RULES
    "none": "none",
    "batch": "batch norm, averages at rest",
    "layer": "layer norm",
    "conditional": "batch norm with a scale and an offset of each class",
}
ARCHITECTURES = {  # gan.networks.ARCHITECTURES
    "dcgan": "strided convolutions (Radford et al. 2015)",
    "resnet": "residual blocks (Miyato et al. 2018)",
    "mlp": "dense layers",
}
# penalties that look at real and generated images only, which any system can offer
AT_DATA = ("js", "r1", "r2")

_GAMMA = "weight of js (at the start); D minimises loss + gamma/2 * regulariser"


def penalty_names(value: str | None) -> tuple[str, ...]:
    """'js,r1' -> ('js', 'r1'); 'none' -> ()."""
    return tuple(word for word in (value or "none").replace(" ", "").split(",") if word not in ("", "none"))


def _check(offered: tuple):
    def check(value: str) -> str:
        names = penalty_names(value)
        unknown = [name for name in names if name not in offered]
        if unknown:
            return (f"'{unknown[0]}' is unknown; give none, or one or more of {', '.join(offered)}, "
                    "separated by commas")
        return "names a penalty twice" if len(set(names)) < len(names) else ""
    return check


def without_contradiction(params, default: str = "js"):
    """`params` with their `penalty` resolved, for a system that has the original's switch `--unreg`.

    Args:
        default: what is regularised with where neither `--penalty` nor `--unreg` is given.

    Raises:
        UserError: `--unreg` and a penalty that it denies.
    """
    if params.penalty is None:
        return params.replace(penalty="none" if params.unreg else default)
    if params.unreg and "js" in penalty_names(params.penalty):
        raise UserError(f"--unreg and --penalty={params.penalty} contradict each other; leave one of them "
                        f"out")
    return params


def active(params) -> tuple[str, ...]:
    """The penalties of `params` whose weight is not zero: the others are no terms at all."""
    weight = {"js": "gamma", **{name: rows[0][0] for name, rows in PENALTY_WEIGHTS.items()}}
    return tuple(name for name in penalty_names(params.penalty) if params.values[weight[name]])


def idle(params) -> list[str]:
    """A line about each given value that changes nothing, since the penalty that it belongs to is not in the
    D loss.

    Args:
        params: with their `penalty` resolved. What only the experiment gives is passed over where the command
            line took the penalty away.
    """
    if "penalty" not in params.declared:
        return []
    own = ["annealing", "decay_factor"]
    if params.declared["gamma"].help == _GAMMA:  # another one may serve another loss too
        own.append("gamma")
    owners = {**dict.fromkeys(own, "js"),
              **{name: of for of, rows in PENALTY_WEIGHTS.items() for name, *_ in rows}}
    taken_away = "command line" in (params.sources.get("penalty"), params.sources.get("unreg"))
    places = ("command line",) if taken_away else ("command line", "experiment")
    given = [name for name in owners if params.sources.get(name) in places]
    names = penalty_names(params.penalty)
    lines = [f"Note: {name}={params.values[name]} has no effect without --penalty={owners[name]}"
             for name in given if owners[name] not in names]
    if "js" in names and "decay_factor" in given and not params.annealing:
        lines.append(f"Note: decay_factor={params.decay_factor} has no effect without --annealing")
    return lines


def penalty(penalty: str | None = "none", gamma: float | None = 0.1, annealing: bool = False,
            decay_factor: float = 0.01,
            offered: tuple = AT_DATA) -> tuple:
    """The parameters of the extra terms of the D loss (defaults of rothk/Stabilizing_GANs, but for
    `penalty`).

    Args:
        penalty: None: what it is without the option depends on the system.
        gamma: None: the system declares its own `gamma`.
        offered: names of `PENALTIES`.
    """
    about = "; ".join(f"{name}: {PENALTIES[name]}" for name in offered)
    weights = [weight for name in offered for weight in PENALTY_WEIGHTS.get(name, ())]
    return (
        Parameter("penalty", penalty, f"extra terms of the D loss, separated by commas: {about}", type=str,
                  check=_check(offered)),
        *(() if gamma is None else (
            Parameter("gamma", gamma, _GAMMA, minimum=0.0, maximum=1e6),)),
        Parameter("annealing", annealing, "let gamma decay exponentially to decay_factor * gamma"),
        Parameter("decay_factor", decay_factor, "last gamma / first gamma, with annealing", minimum=0.0,
                  maximum=1e6),
        *(Parameter(name, default, text, minimum=0.0, maximum=1e6) for name, default, text in weights),
    )


def labelled_images(dataset: str, folder: str) -> tuple:
    """The parameters of a system that trains on images with labels, under the names that its original gives
    them."""
    return (
        Parameter(dataset, "cifar10",
                  "cifar10 and digits need no preparation; imagenet and folder have a folder per class where "
                  "classes are used",
                  choices=("cifar10", "imagenet", "folder", "digits"), fixed=True),
        Parameter(folder, "data/cifar10", "folder of the images (or the CIFAR-10 archive)", change="free"),
        BACKGROUND,
    )
