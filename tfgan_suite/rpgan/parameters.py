"""Parameters of RP-GAN; names and meaning of ayanc/rpgan, defaults of its `exp/face48.py`."""
from tfgan_suite import options
from tfgan_suite.experiment import Parameter

_RPGAN = (
    Parameter("ksz", 4, "kernel size of the generator", minimum=2, fixed=True),
    Parameter("zlen", 100, "length of the latent vector", minimum=1, fixed=True),
    Parameter("f1", 1024, "channels of the generator's first block", minimum=4, fixed=True),
    Parameter("df", 128, "channels of a discriminator's first convolution", minimum=1, fixed=True),
    Parameter("imsz", 64, "side of the images in pixels: (ksz - ksz%2) times a power of two", minimum=4,
              fixed=True),
    Parameter("bsz", 64, "batch size", minimum=1, change="free"),
    Parameter("lfile", "data/faces.txt", "text file with the path of an image on each line", change="free"),
    Parameter("embedded", "", "write this embedded data set to lfile's folder if lfile is missing",
              choices=("", "digits"),
              change="free"),
    options.STORED_BACKGROUND,
    Parameter("crop", False, "resize to imsz+1 and crop at random; else images must be imsz x imsz",
              fixed=True),
    Parameter("SAVEFREQ", 1e3, "iterations between checkpoints; 0 or less: only at the end", change="free"),
    Parameter("MAXITER", 1e5, "last iteration", minimum=0.0, change="free"),
    Parameter("filts", "",
              "K,S,F,N [K,S,F,N ...]: make N random projections KxKx3->F with stride S if wts_dir/filts.npz "
              "is missing",
              fixed=True),
    Parameter("filts_seed", 0, "seed of these projections", minimum=0, maximum=2**32 - 1, fixed=True),
    Parameter("chunk", 0, "discriminators computed side by side; 0: all of them on small images, else 1",
              minimum=0,
              change="free"),
    Parameter("parallel", "batch",
              "what several devices share. batch: the batch, all networks on each; discriminators: each has "
              "its share of them and sees the whole batch",
              choices=("batch", "discriminators"), change="free"),
    *options.penalty(),
)

# The baseline runs the same experiment files; it has no use for filters and chunks.
PARAMETERS = {"rpgan": _RPGAN, "rpgan_baseline": _RPGAN}
