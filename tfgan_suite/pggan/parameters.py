"""Parameters of PGGAN: the flags of alenmora/ppgan's config.py, then what this suite adds."""
from __future__ import annotations

from tfgan_suite import options
from tfgan_suite.experiment import Parameter, whole

BATCHES = "4:32,8:32,16:32,32:24,64:16,128:16,256:16,512:8,1024:8"


def _power(value: int) -> str:
    return (
        ""
        if value >= 4 and value & (value - 1) == 0
        else "a resolution is a power of two from 4 to 1024, such as 64"
    )


def _fraction(value: float) -> str:
    return "" if 0 < value <= 1 else "the factor must be above 0 and at most 1"


def _betas(value: str) -> str:
    try:
        numbers = [float(word) for word in value.split()]
    except ValueError:
        numbers = []
    return (
        ""
        if len(numbers) == 2 and all(0 <= b < 1 for b in numbers)
        else "give two numbers in [0, 1), such as '0.0 0.99'"
    )


def resume_words(value: str) -> list[str]:
    """'8 96' or '8,96' -> ['8', '96']."""
    return value.replace(",", " ").split()


def table_of(text: str, number=int) -> dict[int, float]:
    """'4:32,8:32' -> {4: 32, 8: 32}; {} where the text is no such table."""
    try:
        pairs = [part.split(":") for part in text.replace(" ", "").split(",") if part]
        return {int(resolution): number(value) for resolution, value in pairs}
    except ValueError:
        return {}


def _rates(value: str) -> str:
    rates = table_of(value, float)
    fine = all(0 < rate < float("inf") for rate in rates.values())
    return "" if not value or (rates and fine) else "give RES:RATE pairs, such as 128:0.0015,256:0.002"


def paterm_of(value):
    """True and False of the original's README stand for 1 and 0, which `int` makes of them."""
    return {"True": 1, "False": 0}.get(str(value), value)


def _resume(value: str) -> str:
    words = resume_words(value)
    if not words or (len(words) == 2 and None not in map(whole, words)):
        return ""
    return "give a resolution and the images shown in it, such as 64,1200000"


ORIGINAL = (
    Parameter("data_path", "./data/",
              "folder whose subfolders hold the images; 'digits' for the embedded digits",
              change="free"),
    options.BACKGROUND,
    Parameter("log_path", "",
              "folder of architecture.txt, netStatus.txt and pictures (default: the run's log folder)",
              change="free"),
    Parameter("preWtsFile", None,
              "weights to start from: a .pth.tar of the original, or an iter_N.gmodel.npz", type=str,
              change="free"),
    Parameter("resumeTraining", "", "R,S: go on with --preWtsFile at resolution R after S images of it",
              check=_resume, fixed=True, words=2),
    Parameter("deactivateLog", False,
              "none of the original's log files and pictures, and only the final weights",
              change="free"),
    Parameter("saveModelEvery", 100000, "images between checkpoints", minimum=1, change="free"),
    Parameter("saveImageEvery", 50000, "images between pictures of reals above fakes", minimum=1,
              change="free"),
    Parameter("logStep", 2500, "images between rows of netStatus.txt", minimum=1, change="free"),
    Parameter("nChannels", 3, "channels of the images", choices=(1, 3), fixed=True),
    Parameter("gLR", 0.001, "Adam rate of the generator, before gLR_decay", minimum=0),
    Parameter("cLR", 0.001, "Adam rate of the critic, before cLR_decay", minimum=0),
    Parameter("gLR_decay", 0.5, "factor on gLR (see lr_decay)", check=_fraction),
    Parameter("cLR_decay", 0.5, "factor on cLR (see lr_decay)", check=_fraction),
    Parameter("gLR_wdecay", 0.0, "L2 weight decay of the generator", minimum=0, maximum=1),
    Parameter("cLR_wdecay", 0.0, "L2 weight decay of the critic", minimum=0, maximum=1),
    Parameter("nCritPerGen", 1, "critic steps per generator step", minimum=1),
    Parameter("stdDevGroup", 8, "group of the minibatch standard deviation; 0 or 1: no such layer",
              fixed=True),
    Parameter("latentSize", 128, "numbers in a latent", minimum=1, fixed=True),
    Parameter("smoothing", 0.997, "decay of the averaged generator (see ema)", minimum=0, maximum=1,
              change="free"),
    Parameter("samplesWhileStable", 750000, "images of a stable stage", minimum=1, change="later"),
    Parameter("samplesWhileFade", 750000, "images of a fade; 0: none", minimum=0, change="later"),
    Parameter("startRes", 4, "first resolution", minimum=4, maximum=1024, check=_power, fixed=True),
    Parameter("endRes", 64, "last resolution", minimum=4, maximum=1024, check=_power, change="later"),
    Parameter("gOptimizer_betas", "0.0 0.99", "Adam's betas of the generator", check=_betas),
    Parameter("cOptimizer_betas", "0.0 0.99", "Adam's betas of the critic", check=_betas),
    Parameter("lamb", 10, "weight of the extra critic term", type=float, minimum=0),
    Parameter("obj", 450, "target of the gradient norm (the paper: 1)", type=float, minimum=0),
    Parameter("epsilon", 1e-3, "weight of the drift term (extraLossTerm PGGAN)", minimum=0),
    Parameter("delta", 5, "offset of the TVP term", type=float),
    Parameter("lambk", 1e-3, "rate of BEGAN's k", minimum=0),
    Parameter("gamma", 0.8,
              "BEGAN: ratio of fake to real; with penalty=js: weight of that regulariser (not both)",
              minimum=0,
              maximum=1e6),
    Parameter("paterm", None,
              "pull-away term: None, 0 (False), 1 (True) or 2 (others: computed as zero)", type=int,
              reads=paterm_of),
    Parameter("lambg", 1, "weight of the pull-away term", type=float, minimum=0),
    Parameter("unrollCritic", None, "extra critic steps before each generator step, undone after it",
              type=int, minimum=0),
    Parameter("lazyRegularization", None, "extra terms only every n-th iteration", type=int, minimum=0),
    Parameter("fmapBase", 2048, "channels: min(fmapBase / 2^(stage * fmapDecay), fmapMax)", minimum=1,
              fixed=True),
    Parameter("fmapMax", 256, "most channels", minimum=1, fixed=True),
    Parameter("fmapDecay", 1.0, "how fast the channels shrink", minimum=0, fixed=True),
    Parameter("criticLossFunc", "WGAN", "loss of the critic", choices=("WGAN", "BEGAN")),
    Parameter("extraLossTerm", "PGGAN", "extra critic term", choices=("PGGAN", "0GP", "TVP")),
    Parameter("inputFilter", "NEAREST", "filter that resizes the reals (BOX, averages as in the paper, is "
              "new)",
              fixed=True, choices=("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS", "BOX")),
)

PAPER = (
    Parameter("networks", "original", "the original's, or those of the paper's table 2",
              choices=("original", "paper"), fixed=True),
    Parameter("classes", 0, "classes of the images, for an AC-GAN (networks=paper); 0: no labels", minimum=0,
              maximum=10**6, fixed=True),
    Parameter("class_weight", 1.0, "weight of the classifier's losses, with classes", minimum=0),
    Parameter("fade_reals", False, "in a fade the reals are mixed with their coarser copies, as in the "
              "paper"),
    Parameter("rate_table", "", "Adam rate of both networks from a resolution on, RES:RATE,..., in place of "
              "gLR and cLR (their decay counts on)", check=_rates, change="later"),
    Parameter("reset_optimizer", False, "Adam starts anew with every stage, as in the paper's code"),
)

OURS = (
    Parameter("batch_table", BATCHES, "batch of each resolution, RES:BATCH,...", change="later"),
    Parameter("weight_scale", "original",
              "equalised learning rate of the original's dense layers: as coded or as in the paper's code",
              choices=("original", "paper"), fixed=True),
    Parameter("stddev_form", "original",
              "minibatch standard deviation: centres its input (as coded) or leaves it (paper)",
              choices=("original", "paper"), fixed=True),
    Parameter("began_form", "original",
              "BEGAN as coded, or with the generator's sign mended and k kept in [0, 1]",
              choices=("original", "mended")),
    Parameter("unroll_form", "mended",
              "unrollCritic as its help says, or the original's nearest working form",
              choices=("mended", "original")),
    Parameter("lazy_count", "iterations", "what lazyRegularization counts (the original: images)",
              choices=("iterations", "images")),
    Parameter("lr_decay", "constant", "factor^1 always (as coded), or factor^(resolutions grown)",
              choices=("constant", "resolution")),
    Parameter("ema", False, "keep an averaged generator (decay: smoothing) and sample from it",
              change="free"),
    Parameter("saveWhileFading", True, "checkpoints in fades too (the original: stable stages only)",
              change="free"),
    Parameter("legacy_pictures", False,
              "pictures without the shift to [0, 1]: negative values are black, as in the original",
              change="free"),
    Parameter("mirror", True,
              "half of the reals are mirrored, as in the original (not for digits or letters)", fixed=True),
    Parameter("cache_gb", None, "memory for resized images (default: half of what is free); what does not "
              "fit is read again", type=float, minimum=0, change="free"),
    Parameter("upscale", False, "images below endRes are enlarged, as in the original", fixed=True),
    *options.penalty(gamma=None),  # the one `gamma` is declared above, with the original's default
)

PARAMETERS = {"pggan": (*ORIGINAL, *PAPER, *OURS)}
