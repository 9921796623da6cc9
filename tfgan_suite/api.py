"""The suite from Python and notebooks: `train`, `load` and `evaluate` do what the commands of these names do,
by the same functions. TensorFlow is imported by the first call."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgan_suite import experiment
from tfgan_suite.experiment import Parameters
from tfgan_suite.metrics.registry import DEFAULT_N

if TYPE_CHECKING:  # help and lists of the commands, which import this file, need no NumPy
    import numpy as np


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        params: its parameters, read as attributes: `params.wts_dir`, `params.log_dir`.
        iteration: iterations done.
    """

    params: Parameters
    iteration: int

    def load(self) -> Generator:
        """Its generator, from the newest checkpoint."""
        return _open(self.params, None)


@dataclass(frozen=True)
class Generator:
    """A generator with trained weights.

    Attributes:
        params: its experiment's parameters.
        system: the system: `system.latents`, `system.generate`, `system.networks`.
        iteration: of its weights.
    """

    params: Parameters
    system: Any
    iteration: int

    def sample(self, n: int, seed: int = 0, label: int | None = None) -> np.ndarray:
        """`n` samples, the same numbers for the same seed, uint8 [n, H, W, C]; as `sample.py --label` draws
        them.

        Args:
            label: class of all samples; None: class k for sample k modulo the number of classes.

        Raises:
            UserError: no such class, or too many for this machine's memory.
        """
        from tfgan_suite.training import runs

        return runs.sample(self.system, n, seed, label)


def _params(name: str, values: dict) -> Parameters:
    """An experiment's parameters; names and values are checked as those of a command line."""
    return experiment.load(name, {key: str(value) for key, value in values.items()})


def _open(params: Parameters, iteration) -> Generator:
    from tfgan_suite.training import runs

    return Generator(params, *runs.open_sampler(params, iteration))


def train(name: str, **values) -> Trained:
    """Trains an experiment, or goes on from its newest checkpoint, as `train.py NAME --name=value` does.

    Args:
        name: of an experiment, or the path of its file.
        values: parameters of the experiment, such as `MAXITER=200`.

    Raises:
        UserError: what the command says in one line.
    """
    params = _params(name, values)
    from tfgan_suite.training.trainer import Trainer

    return Trained(params, Trainer(params).run())


def load(name: str, iteration: int | None = None, **values) -> Generator:
    """The generator of a trained experiment.

    Args:
        name: of an experiment, or the path of its file.
        iteration: of the checkpoint; by default the newest.
        values: parameters of the experiment that it was trained with.

    Raises:
        UserError: there is no such experiment or checkpoint.
    """
    return _open(_params(name, values), iteration)


def evaluate(generator: Generator, metrics: Iterable[str] = (), n: int = DEFAULT_N, seed: int = 0,
             **options) -> dict[str, float]:
    """Scores samples and records the result in the run's log folder, as `tools/evaluate.py` does.

    Args:
        metrics: names, such as 'digits' or 'fid'; by default those that the experiment is judged by.
        n: number of samples.
        options: further options of `tools/evaluate.py`: splits, batch, reals, graph, graph_sha256, download.

    Raises:
        UserError: unknown metric or option, too few samples, or what a metric needs is not there.
    """
    from tfgan_suite.metrics import evaluating

    evaluation = evaluating.of_system(generator.system, generator.params, tuple(metrics), seed,
                                      {"n": n, **options})
    return evaluating.evaluate(evaluation, generator.iteration)
