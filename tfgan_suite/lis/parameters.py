"""Parameters of the three LIS programs: names, defaults and meaning of the flags of
aleju/gan-error-avoidance."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfgan_suite import options
from tfgan_suite.experiment import Parameter, Parameters, whole


def _checkpoint(value: str) -> str:
    """What is wrong with the name of a checkpoint."""
    return "" if value in ("best",
                           "last") or whole(value) is not None else "give best, last or an iteration"


_DATASETS = ("cifar10", "lsun", "imagenet", "folder", "lfw", "digits")

_COMMON = (
    Parameter("dataset", "folder", "the images", choices=_DATASETS, fixed=True),
    Parameter("lsun_class", "bedroom", "LSUN class name without _train", fixed=True),
    Parameter("dataroot", "", "folder of the images and of their split; digits needs none", change="free"),
    options.BACKGROUND,
    Parameter("trust_split", False,
              "use the original's data_index.pt for images in folders too: its numbers mean "
                                    "the order in which a file system once listed them", fixed=True),
    Parameter("batch_size", 32, "images of a batch", minimum=1, fixed=True),
    Parameter("image_size", -1, "side of the square images", fixed=True),
    Parameter("width", -1, "width of the images, where height is given too", fixed=True),
    Parameter("height", -1, "height of the images, where width is given too", fixed=True),
    Parameter("crop_size", -1, "side of the centre crop before scaling; -1: none", fixed=True),
    Parameter("crop_width", -1, "width of that crop, where crop_height is given too", fixed=True),
    Parameter("crop_height", -1, "height of that crop, where crop_width is given too", fixed=True),
    Parameter("code_size", 128, "size of the latent", minimum=1, fixed=True),
    Parameter("nfeature", 64, "channels of D's first and G's last layer; R has half as many", minimum=2,
              fixed=True),
    Parameter("nlayer", -1, "halvings in D, R and G; -1: as many as the size allows", fixed=True),
    Parameter("norm", "none", "normalisation", choices=("none", "batch", "weight", "weight-affine"),
              fixed=True),
    Parameter("lr", 0.0001, "learning rate of all networks", minimum=0.0),
    Parameter("test_interval", 10000, "iterations between reconstruction tests", minimum=1, change="free"),
    Parameter("test_lr", 0.01, "learning rate of the codes in a reconstruction test", minimum=0.0,
              change="free"),
    Parameter("test_steps", 50, "steps of a reconstruction test", minimum=1, change="free"),
    Parameter("vis_interval", 2000, "iterations between pictures", minimum=1, change="free"),
    Parameter("vis_size", 10, "rows and columns of the pictures, unless vis_row and vis_col are given",
              minimum=1,
              change="free"),
    Parameter("vis_row", -1, "rows of the pictures", change="free"),
    Parameter("vis_col", -1, "columns of the pictures", change="free"),
    Parameter("save_interval", 5000, "iterations between checkpoints", minimum=1, change="free"),
    Parameter("niter", 50000, "last iteration", minimum=0, change="free"),
    Parameter("ls", False, "squared error instead of cross-entropy on D's sigmoid output"),
    Parameter("output_scale", False, "save x*2-1, clipped, instead of x (for viewers that undo it)",
              change="free"),
    Parameter("r_iterations", 3, "LIS modules of G-LIS, or rounds of R and G", minimum=0, fixed=True),
    Parameter("spatial_dropout_r", 0.0, "chance that R drops a channel", minimum=0.0, maximum=0.99),
)

_TRAINED = (
    Parameter("save_path", None, "folder of pictures, test results and, in models and logs, all else "
                                 "(default: log_dir)",
              type=str,
              change="free", home=True),
    Parameter("load_path", None, "checkpoints (ours, or an experiment of the original) that a fresh run "
                                 "starts from", type=str,
              change="free"),
    Parameter("final_test", False, "run the reconstruction test on the final test images after the last "
                                   "iteration",
              change="free"),
    Parameter("net", "best", "checkpoint for the final test: best, last or an iteration", check=_checkpoint,
              change="free"),
    Parameter("lambda_r", 0.9, "strength of the similarity between codes", minimum=0.0),
    Parameter("always_train_all", False,
              "execute all LIS modules, or train all rounds, in every iteration"),
)

_PENALTY = options.penalty()

_UPSCALING = Parameter("g_upscaling", "fractional", "upscaling in G", fixed=True,
                       choices=("fractional", "nearest", "bilinear"))


def _with_defaults(parameters, **defaults) -> tuple:
    changed = {p.name: p for p in parameters}
    for name, value in defaults.items():
        changed[name] = replace(changed[name], default=value)
    return tuple(changed.values())


PARAMETERS = {
    "glis": (
        *_COMMON,
        *_TRAINED,
        *_PENALTY,
        _UPSCALING,
        Parameter("flip", True, "mirror half of the training images (the original always does)",
                  fixed=True),
        Parameter("load_tolerant", False, "load_path: take only arrays of G that fit, and not its "
                                          "optimiser",
              change="free"),
        Parameter("nb_cache_total", 0, "augmented images kept over all lists; 0: none kept"),
        Parameter("nb_cache_lists", 1, "augmented versions kept of one image", minimum=1),
        Parameter("cache_p_drop", 0.1, "chance that a kept version is replaced when it is met", minimum=0.0,
                  maximum=1.0),
        Parameter("augment", "none", "augmentation set",
                  choices=("none", "flowers102", "cifar10", "10kcats", "lsun_churches")),
        Parameter("d_dropout", 0.0, "chance that D drops a number before its last convolution", minimum=0.0,
                  maximum=0.99),
    ),
    "lis_iterative": (*_with_defaults(_COMMON, test_interval=1000, vis_interval=100, save_interval=2000),
                      *_TRAINED, *_PENALTY),
    "lis_separate": (
        *_with_defaults(_COMMON, test_interval=1000, vis_interval=100, save_interval=500),
        _UPSCALING,
        Parameter("load_path", "", "checkpoints of a finished G-LIS run (ours, or one of the original)",
                  fixed=True),
        Parameter("final_test", False, "run the reconstruction test of G on the final test images after the "
                                       "last iteration", change="free"),
        Parameter("load_path_r", None, "checkpoints whose R a fresh run starts from", type=str,
                  change="free"),
        Parameter("save_path_r", None, "folder of pictures and history (default: log_dir)", type=str,
                  change="free", home=True),
        Parameter("net", "last", "which checkpoint of load_path: best, last or an iteration", fixed=True,
                  check=_checkpoint),
    ),
}

SAVE_PATH = {"glis": "save_path", "lis_iterative": "save_path", "lis_separate": "save_path_r"}


def results_folder(params: Parameters) -> Path:
    """Where a LIS run's pictures, test results and loss.jpg are: --save_path (--save_path_r), else its log
    folder. Weights and logs lie below --save_path, unless their folders are given."""
    return Path(params.values[SAVE_PATH[params.system]] or params.log_dir)
