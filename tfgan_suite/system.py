"""What the trainer asks of a system: the paper as code.

A system owns its networks, its optimisers and one full iteration. It knows nothing of logs, checkpoints or
devices.
"""
from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, Callable

import numpy as np
import tensorflow as tf

from tfgan_suite import optimizers, penalties
from tfgan_suite.errors import UserError
from tfgan_suite.events import Event
from tfgan_suite.experiment import Parameters
from tfgan_suite.files.checkpoints import numbered
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.random import Draws


class System:
    """Base class of all systems.

    A subclass builds its networks in `__init__` (only those that sampling needs when `training` is False) and
    overrides what differs. Networks are `layers.Network`s, so that they know the original's names.

    Attributes:
        params: the resolved parameters.
        training: False when only `generate` will be used.
        networks: name -> network; the name gives the checkpoint file: `g` -> `iter_N.gmodel.npz`.
        optimizers: name -> Keras optimiser. Their variables go into `iter_N.state.npz`.
        extra_state: name -> tf.Variable, whatever else exact resume needs (EMA copies, BEGAN's k,
            spectral-norm u not kept in a network, ...).
        scalers: name -> loss scaling around its optimiser (`optimizers.scaled`), where the networks compute
            in float16.
        sampling: the networks that `generate` needs; `sample.py` loads only these.
        frozen: checkpoint kind with population statistics that `interp.py` uses ('bg' in RP-GAN); '' if G
            needs none.
        grid: (rows, columns) of the default sample sheet.
        precisions: the values of --precision that the system's iteration supports.
        classes: number of classes of a conditional generator, 0 if it takes no labels.
        heaviest: an iteration that needs as much memory as any.
        makes_images: whether `generate` gives images; else `write_samples` is what `sample.py` calls.
        default_metrics: what `tools/evaluate.py` computes if nothing else is said; () for its own choice.
        unconnected: what the gradient of a variable is that the loss does not depend on: none (it is left out
            of the step), or zero (its optimiser's state moves, as in torch of 2017).
        copies: network -> the network that it is a copy of where a checkpoint lacks it (an averaged G).
        length: the parameters that say how long a run is.
        length_in_iterations: whether `length` is one parameter, and counts iterations.
        log_files: patterns of the files that its events write into the log folder, beside pictures
            `*/iter_N.png`.
    """

    sampling: tuple = ("g",)
    frozen: str = ""
    grid: tuple = (10, 10)
    precisions: tuple = ("float32", "float32_fast", "bfloat16")
    classes: int = 0
    heaviest: int = 0
    makes_images: bool = True
    default_metrics: tuple = ()
    unconnected = tf.UnconnectedGradients.NONE
    copies: Mapping = MappingProxyType({})
    length: tuple = ("MAXITER",)
    length_in_iterations: bool = True
    log_files: tuple = ()

    def __init__(self, params: Parameters, training: bool = True):
        self.params, self.training = params, training
        self.networks: dict = {}
        self.optimizers: dict = {}
        self.extra_state: dict = {}
        self.scalers: dict = {}

    @classmethod
    def splits_batch(cls, params: Parameters) -> bool:
        """Whether several devices share a run by the batch, a copy of the networks on each. Otherwise it is
        one replica, and the system puts its networks on the devices itself."""
        return True

    # -- size of a run ---------------------------------------------------------------------------------------
    @property
    def batch_size(self) -> int:
        """Images of one global real batch; the number of replicas must divide it."""
        return self.params.bsz

    @property
    def iterations(self) -> int:
        """How many iterations a whole run has."""
        return int(self.params.MAXITER)

    @property
    def planned(self) -> int:
        """The length over which annealing spreads its decay."""
        return self.iterations

    def gamma_at(self, done: int, planned: int) -> float:
        """Gamma of the Jensen-Shannon regulariser in the iteration after `done` ones, if annealing were
        spread over `planned` iterations."""
        return float(penalties.js_gamma(self.params, tf.constant(done, tf.int64), planned))

    def save_due(self, done: int) -> bool:
        """Whether a checkpoint is written after `done` iterations (one is always written at the end)."""
        every = int(self.params.SAVEFREQ)
        return every > 0 and done % every == 0

    def keep(self, number: int) -> bool:
        """Whether the G file of checkpoint `number` stays when a newer one is written."""
        return True

    def milestone(self, done: int) -> bool:
        """Whether, with --keep_every, the whole checkpoint of `done` iterations stays too, whatever its
        number."""
        return False

    def rewrites_past(self, old: Parameters, done: int) -> str:
        """Why parameters declared with change='later' cannot be changed after `done` iterations; '' if they
        can.

        Args:
            old: the parameters before the change.
        """
        return "the first iterations were done with it"

    def begin(self) -> dict[str, Any]:
        """Called before a run starts anew: loads the weights that it starts from, if it does.

        Returns:
            The values of parameters that this decides. They are recorded, and the run goes on with them where
            others are not given.

        Raises:
            UserError: nothing usable to start from.
        """
        return {}

    def go_on(self, about: Mapping, history: list) -> None:
        """Called before a run goes on from a checkpoint.

        Args:
            about: what is recorded of the run that wrote it.
            history: entries with an 'iteration' and what was 'changed' there, name -> [old, new]; the newest,
                which is the present one, last.

        Raises:
            UserError: it cannot go on so.
        """

    def is_at(self, place: str, arrays: Mapping) -> bool:
        """Whether a checkpoint is of the place that `--from` names in other words than by its iteration.

        Args:
            arrays: of the first network's file.

        Raises:
            UserError: there are no such places.
        """
        raise UserError(f"--from={place}: give an iteration")

    def is_over(self, phase: Hashable, step: int) -> bool:
        """Whether no iteration from `step` on is of this phase."""
        return False

    def prepare_run(self, fresh: bool) -> list[str]:
        """Writes what the run needs beside its weights and is not there yet; called before the first
        iteration, once nothing can refuse the run any more. Returns lines to show.

        Raises:
            UserError: what is there does not fit.
        """
        return []

    def cut_logs(self, log_dir, done: int) -> None:
        """Removes from its own files in the log folder what an earlier process wrote after `done`
        iterations."""

    @property
    def batches(self) -> str:
        """The size of its batches, for `--dry-run`."""
        return str(self.batch_size)

    def images_shown(self, done: int) -> int:
        """Real images used in `done` iterations, for images/s."""
        return done * self.batch_size

    def phase(self, step: int) -> Hashable:
        """What is static in iteration `step`: one traced function per value. None where nothing ever
        changes."""
        return None

    # -- data (host side, NumPy) -----------------------------------------------------------------------------
    def source(self):
        """Opens the real data (a `data.Source`), or returns None if the system makes its own.

        Raises:
            UserError: not there, or not usable; says where to put it and how to get it.
        """
        raise NotImplementedError

    def reals(self):
        """The real images that samples are compared with: a `data.Source` of those that training sees,
        without its random crops and mirrors.

        Raises:
            UserError: as `source`.
        """
        return self.source()

    def batch(self, step: int, source) -> dict[str, np.ndarray]:
        """The real data of iteration `step`, a pure function of (seed, step).

        The first axis of every array is the global batch, which is split over the replicas; repeats (five
        real batches for five critic steps) go on the second axis. Called from a thread of its own.
        """
        raise NotImplementedError

    def batch_spec(self) -> dict[str, tf.TensorSpec] | None:
        """Shapes and types of `batch` at iteration `heaviest` on one device, so that `--dry-run` needs no
        data; None: ask `batch`."""
        return None

    # -- one iteration (graph side) --------------------------------------------------------------------------
    def draws(self, draw: Draws, phase: Hashable) -> dict[str, tf.Tensor]:
        """All random numbers of one iteration, by name. Parity tests feed recorded ones to `update`
        instead."""
        return {}

    def update(self, step: tf.Tensor, batch: dict, draws: dict, phase: Hashable) -> dict[str, tf.Tensor]:
        """All D and G updates of one iteration of the original, in the original's order.

        It is traced without autograph: Python's `if` and `for` see Python values only, such as `phase`.

        Args:
            step: int64 scalar, the iteration, from 0.
            batch: what `batch` returned, as tensors: this replica's rows.
            draws: what `draws` returned.
            phase: what `phase` returned, a Python value.

        Returns:
            Scalars (or vectors) by name: means over this replica's batch.
        """
        raise NotImplementedError

    def iteration(self, step: tf.Tensor, batch: dict, phase: Hashable = None) -> dict[str, tf.Tensor]:
        """`update` with the draws of (seed, step); what the trainer runs inside `strategy.run`."""
        return self.update(step, batch, self.draws(Draws(self.params.seed, step), phase), phase)

    def descend(self, kind: str, tape: tf.GradientTape, loss: tf.Tensor, upstream: tf.Tensor | None = None,
                variables: list | None = None) -> None:
        """One optimiser step of network `kind` along the gradient of `loss`, a mean over this replica's
        batch.

        Args:
            tape: has recorded the loss.
            upstream: the gradient with respect to `loss`, where that is not the scalar loss itself.
            variables: those that the step moves, where not all of the network's.
        """
        variables = self.networks[kind].trainable_variables if variables is None else variables
        scaler = self.scalers.get(kind)
        if scaler is None:
            gradients = tape.gradient(loss, variables, upstream, self.unconnected)
            optimizers.apply(self.optimizers[kind], gradients, variables)
            return
        with tape:
            scaled = scaler.get_scaled_loss(loss)
        gradients = tape.gradient(scaled, variables, upstream, self.unconnected)
        optimizers.apply(scaler, scaler.get_unscaled_gradients(gradients), variables)

    def console(self, step: int, scalars: dict) -> list[str]:
        """The original's console lines for iteration `step` (counted from 0); the trainer adds the time in
        front."""
        return [f"[{step:09d}] " + ",".join(f"{k}={float(v):.6f}" for k, v in scalars.items()
                                            if np.ndim(v) == 0)]

    def plan(self) -> list[str]:
        """What `--dry-run` tells of the course of the run, a line each, where it has stages."""
        return []

    def status(self, step: int) -> str:
        """What the progress bar shows of iteration `step` beside losses."""
        return ""

    def timed_console(self, step: int, scalars: dict, seconds: float) -> list[str]:
        """`console`, for the systems whose originals show how long an iteration took.

        Args:
            seconds: since the iteration before.
        """
        return self.console(step, scalars)

    def notices(self) -> list[str]:
        """Lines to show when training starts, on a terminal too."""
        return []

    def observe(self, step: int, scalars: dict) -> None:
        """Gets the scalars of every iteration (from 0), in order, as NumPy values, when the trainer has read
        them."""

    def events(self) -> list[Event]:
        """What to do on the host now and then, beyond checkpoints and sample grids."""
        return []

    # -- pictures --------------------------------------------------------------------------------------------
    def latents(self, n: int, seed: int) -> np.ndarray:
        """The original's table of `n` latents for that seed."""
        raise NotImplementedError

    def labels(self, n: int, seed: int) -> np.ndarray | None:
        """Labels of the default sample sheet, int32 [n]: column k has class k. None for an unconditional
        generator."""
        return np.arange(n, dtype=np.int32) % self.classes if self.classes else None

    def generate(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Images [n, H, W, C], float32 in [-1, 1], from n latents (and int labels [n])."""
        raise NotImplementedError

    def generate_bytes(self, n: int) -> int:
        """About how much memory `generate` takes for `n` latents; 0 where that is not known."""
        return 0

    def to_uint8(self, x: np.ndarray) -> np.ndarray:
        """The original's rule from [-1, 1] to bytes."""
        return bytes.to_uint8(x)

    def pictures(self, seed: int) -> dict[str, np.ndarray]:
        """Pictures of the present state, file name part -> uint8 [H, W, 3]; by default one sheet of fixed
        latents."""
        rows, cols = self.grid
        sheet = self.generate(self.latents(rows * cols, seed), self.labels(rows * cols, seed))
        return {"samples": sheets.grid(self.to_uint8(sheet), rows, cols)}

    def write_samples(self, out, seed: int, n: int | None = None) -> None:
        """What `sample.py` writes to `out` where the samples are no images (`makes_images` is False); n: how
        many."""
        raise NotImplementedError

    def all_stages(self, latents: np.ndarray, labels=None) -> list[np.ndarray]:
        """Images of latents (with int labels [n]) before and after each module of a learned input space
        (LIS): for each stage float32 [n, H, W, 3] in [0, 1].

        Raises:
            UserError: there are no such modules.
        """
        raise UserError(f"{self.params.name}: has no modules in front of G; give an experiment of LIS, or of "
                        f"system gan with lis_modules")

    def decode(self, codes: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """Differentiable, weights and statistics at rest: codes [n, code] (with weights of classes
        [n, classes]) -> images [n, h, w, c] in [0, 1]."""
        return self.networks[self.sampling[0]](codes, labels, training=False) * 0.5 + 0.5

    def metrics(self) -> dict[str, Callable]:
        """Metrics of its own, name -> function as in `metrics.registry`; they replace general ones of that
        name."""
        return {}

    # -- state -----------------------------------------------------------------------------------------------
    def state(self) -> dict[str, tf.Variable]:
        """Everything beyond the networks' weights that exact resume needs, by name: `g/m/c1_w`, `extra/k`;
        variables, or `files.checkpoints.Sliced`."""
        slots = [(f"{name}/{v.name.split(':')[0]}", v)
                 for name, optimizer in self.optimizers.items() for v in optimizer.variables]
        names = numbered(name for name, _ in slots)
        return {**{name: v for name, (_, v) in zip(names, slots)},
                **{f"extra/{k}": v for k, v in self.extra_state.items()}}

    def load_original(self, kind: str, arrays: dict) -> None:
        """Loads the arrays of one of the original program's files into network `kind`."""
        self.networks[kind].assign(arrays)
