"""Parameters that several systems share. No TensorFlow here.

A system whose D loss takes extra terms adds `*options.penalty()` to its tuple; defaults other than these are arguments.
"""
from __future__ import annotations

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

UNREG = Parameter("unreg", False, "no Jensen-Shannon regulariser (the original's switch; the same as penalty=none)")

PENALTIES = {  # name of a function in `penalties` -> what it is
    "js": "the Jensen-Shannon gradient regulariser (Roth et al. 2017)",
    "r1": "squared gradient norms at real images (Mescheder et al. 2018)",
    "r2": "squared gradient norms at generated images (Mescheder et al. 2018)",
}


def penalty_names(value: str | None) -> tuple[str, ...]:
    """'js,r1' -> ('js', 'r1'); 'none' -> ()."""
    return tuple(word for word in (value or "none").replace(" ", "").split(",") if word not in ("", "none"))


def _penalties(value: str) -> str:
    names = penalty_names(value)
    unknown = [name for name in names if name not in PENALTIES]
    if unknown:
        return f"'{unknown[0]}' is unknown; give none, or one or more of {', '.join(PENALTIES)}, separated by commas"
    return "names a penalty twice" if len(set(names)) < len(names) else ""


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
        raise UserError(f"--unreg and --penalty={params.penalty} contradict each other; leave one of them out")
    return params


def penalty(penalty: str | None = "none", gamma: float | None = 0.1, annealing: bool = False,
            decay_factor: float = 0.01) -> tuple:
    """The parameters of the extra terms of the D loss (defaults of rothk/Stabilizing_GANs, but for `penalty`).

    Args:
        penalty: None: what it is without the option depends on the system.
        gamma: None: the system declares its own `gamma`.
    """
    about = "; ".join(f"{name}: {text}" for name, text in PENALTIES.items())
    return (
        Parameter("penalty", penalty, f"extra terms of the D loss, separated by commas: {about}", type=str, check=_penalties),
        *(() if gamma is None else (
            Parameter("gamma", gamma, "weight of js (at the start); D minimises loss + gamma/2 * regulariser",
                      minimum=0.0, maximum=1e6),)),
        Parameter("annealing", annealing, "let gamma decay exponentially to decay_factor * gamma"),
        Parameter("decay_factor", decay_factor, "last gamma / first gamma, with annealing", minimum=0.0, maximum=1e6),
        Parameter("r1_weight", 10.0, "weight of r1; D minimises loss + r1_weight/2 * mean |grad D(real)|^2", minimum=0.0,
                  maximum=1e6),
        Parameter("r2_weight", 10.0, "weight of r2; D minimises loss + r2_weight/2 * mean |grad D(fake)|^2", minimum=0.0,
                  maximum=1e6),
    )


def labelled_images(dataset: str, folder: str) -> tuple:
    """The two parameters of a system that trains on images with labels, under the names that its original gives them."""
    return (
        Parameter(dataset, "cifar10", "cifar10 and digits need no preparation; imagenet and folder have a folder per class",
                  choices=("cifar10", "imagenet", "folder", "digits"), fixed=True),
        Parameter(folder, "data/cifar10", "folder of the images (or the CIFAR-10 archive)"),
    )
