"""What the `3DGAN` program writes: summaries, snapshots every `plot_freq` iterations, a figure for each run;
and statistics over the runs."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import penalties
from tfgan_suite.errors import UserError
from tfgan_suite.events import Event
from tfgan_suite.files import archive, tf1_events
from tfgan_suite.files.later import Later
from tfgan_suite.jsreg import objective
from tfgan_suite.jsreg.mixture import networks, plots
from tfgan_suite.pictures import curves
from tfgan_suite.random import Draws, generator

FILES = ("summaries", "*_num_*.png")
AT_ONCE, SECONDS = 20, 1.0  # summaries of one call; how often they reach the disk
SHOWN = ("modes_covered", "share_within_3sd", "distance_to_plane")


def events(system) -> list[Event]:
    """A snapshot at the start of each run and at every multiple of `plot_freq`; figures at the end of each
    run."""
    def snapshot_due(done):
        i = system.place(done)[1]
        return starts(system, done) or (i > 0 and i % system.params.plot_freq == 0)

    def summary_due(done):
        i, every = system.place(done)[1], system.params.summary_freq
        return bool(every) and (starts(system, done) or (i > 0 and i % every == 0))

    def note(done, host):
        host.line("Note: sgd and rmsprop are both given; sgd is used, as in the original")
        return {}

    both = system.params.sgd and system.params.rmsprop
    return [*([Event("note", 1, note, due=lambda done: done == 1)] if both else []),
            Event("snapshot", 1, lambda done, host: snapshot(system, done, host), due=snapshot_due),
            Event("summary", 1, Summary(system), due=summary_due, waits=False),
            Event("figures", 1, lambda done, host: figures(system, done, host),
                  due=lambda done: done % system.per_run == 0)]


def starts(system, done: int) -> bool:
    """Whether iteration `done` was the first of a run: frame 0, of untrained weights, is made then."""
    return (done - 1) % system.per_run == 0


def folder(host, run: int) -> Path:
    """The original's folder of a run: its event file and its snapshots."""
    return Path(host.log_dir) / "summaries" / f"run_{run}"


def cut(system, log_dir, done: int) -> None:
    """Takes out of the event files of all runs what came after iteration `done`; their steps are the
    original's counter."""
    present, i = system.place(done)
    for run in range(present, system.params.num_runs):
        tf1_events.cut(Path(log_dir) / "summaries" / f"run_{run}", system.updates(max(i, 0))
                       if run == present else -1)


def file(host, run: int) -> Path:
    """Where the snapshots of a run are: float32 [frames, points, 3], the original's file."""
    return folder(host, run) / "gen_samps.npy"


class Summary:
    """Event: the original's scalars and histograms of a fresh batch, at its counter; at step 0 of the
    untrained networks.

    There is one in every iteration, which takes about as long as the iteration: they are computed and written
    some at a time in a thread, each of the weights as they are when it is asked for.
    """

    def __init__(self, system):
        self.system, self._run, self._later, self._rows = system, None, Later(), []

    def __call__(self, done: int, host) -> dict:
        system, (run, i) = self.system, self.system.place(done)
        if self._run is None:
            host.before_save(self._bring, self._later.close)
        if run != self._run:
            self._bring()
            self._begin(run, host)
        if starts(system, done):
            first = networks.untrained(system.params, run)
            self._rows.append((0, -1 - run, *(v.read_value() for v in self._variables(first))))
        if i > 0 and i % system.params.summary_freq == 0:
            self._rows.append((system.updates(i), done - 1, *self._weights()))
        if len(self._rows) >= AT_ONCE:
            self._hand_over()
        return {}

    def _variables(self, bodies: dict) -> list:
        return [v for kind in self.system.networks for v in bodies[kind].trainable_variables]

    def _begin(self, run: int, host) -> None:
        """The event file of a run, and the recorder of the networks that are trained."""
        system, params = self.system, self.system.params
        self._run, self._file = run, tf1_events.EventFile(folder(host, run), every=SECONDS)
        seen = self._seen = {"g": networks.generator(params), "d": networks.discriminator(params)}
        copies, trained = self._variables(seen), self._variables(system.networks)

        def compute(step, *values):
            for variable, value in zip(copies, values):
                variable.assign(value)
            return evaluated(system, seen, step)

        specs = [tf.TensorSpec((), tf.int64), *(tf.TensorSpec(v.shape, v.dtype) for v in copies)]
        self._record = self._file.batch_recorder(compute, specs)
        # later steps leave alone what has been read
        self._weights = tf.function(lambda: [v.read_value() for v in trained],
                                    autograph=False).get_concrete_function()

    def _hand_over(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._later.call(self._record, rows)

    def _bring(self) -> None:
        """Brings all summaries so far to the disk."""
        self._hand_over()
        self._later.wait()
        if self._run is not None:
            self._file.flush()


def evaluated(system, networks: dict, step: tf.Tensor) -> tuple[dict, dict]:
    """The original's scalars and histograms by tag, of a fresh batch.

    Args:
        networks: 'g' and 'd'.
        step: int64, the iteration; -1, -2, ... before the first one of a run, whose gamma is not annealed.
    """
    draw = Draws(system.params.seed, step)
    weights = system.weights(step)
    if system.params.gamma:
        weights["gamma"] = tf.where(step < 0, system.params.gamma, weights["gamma"])
    real, fake = system.real_points(draw, "summary"), networks["g"](system.prior(draw, "summary/z"))
    losses, norms = system.d_losses(real, fake, weights, networks["d"]), {}
    if "disc_regularizer" in losses:
        norms = penalties.js_probability_norms(networks["d"], real, fake)
    logits = networks["d"](real), networks["d"](fake)
    return (objective.tagged(losses, norms, weights["gamma"], system.g_loss_of(logits[1])),
            objective.probabilities(*logits))


def snapshot(system, done: int, host) -> dict[str, float]:
    """Adds frames to the run's file; returns how well the newest one hits the mixture."""
    run, i = system.place(done)
    if done == 1:
        host.image("data", done, plots.data(system.mixture, system.snapshot_size(), system.params.seed))
    if starts(system, done):
        write(file(host, run), 0, sample(system, networks.untrained(system.params, run)["g"], run, 0))
    if i > 0 and i % system.params.plot_freq == 0:
        frame = i // system.params.plot_freq
        points = sample(system, system.networks["g"], run, frame)
        write(file(host, run), frame, points)
        return system.mixture.quality(points)
    return {}


def sample(system, network, run: int, frame: int) -> np.ndarray:
    """The points of one frame, [viz_batches * batch_size, 3]."""
    seed = int(generator(system.params.seed, "snapshot", run, frame).integers(2**32))
    return network(system.latents(system.snapshot_size(), seed)).numpy()


def write(path: Path, frame: int, points: np.ndarray) -> None:
    """Puts a frame behind the earlier ones; frames that are missing (a lost file) are NaN."""
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = (
        snapshots(path, points.shape)[:frame]
        if frame and path.is_file()
        else np.empty((0, *points.shape), np.float32)
    )
    missing = np.full((frame - len(earlier), *points.shape), np.nan, np.float32)
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([earlier, missing, points[None]]))
    archive.write_bytes(path, buffer.getvalue())


def snapshots(path: Path, shape: tuple | None = None) -> np.ndarray:
    """The frames of a file that `write` made, float32 [frames, points, 3].

    Args:
        shape: that a frame must have.

    Raises:
        UserError: it is broken, or another file.
    """
    frames = archive.load_array(path, "delete it; its frames are left out from then on")
    if frames.ndim != 3 or frames.shape[2] != 3 or not len(frames) or (shape
                                                                       and frames.shape[1:] != tuple(shape)):
        raise UserError(f"{path}: has shape {frames.shape}, not [frames, points, 3] of this experiment; "
                        f"delete or move it")
    return frames.astype(np.float32, copy=False)


def titles(system, count: int) -> list[int]:
    """The counter at each of `count` frames."""
    return [system.updates(i * system.params.plot_freq) for i in range(count)]


def figures(system, done: int, host) -> dict[str, float]:
    """`<name>_num_<run>.png`, the original's figure; the overview of the run; statistics over all runs so
    far."""
    run = system.place(done)[0]
    frames = snapshots(file(host, run))
    name = Path(host.log_dir) / f"{system.params.name}_num_{run}.png"
    archive.write_bytes(name, plots.frames(frames, titles(system, len(frames))))
    host.image(f"overview_run_{run}", done, plots.overview(frames[-1], system.mixture))
    values = statistics(system, host, run + 1)
    host.image("statistics", done,
               curves.of_runs(titles(system, next(iter(values.values())).shape[1]), values))
    return {}


def statistics(system, host, runs: int) -> dict[str, np.ndarray]:
    """Quality of every snapshot of the first `runs` runs, name -> [runs, frames], NaN where there is none."""
    frames = 1 + system.params.max_steps // system.params.plot_freq
    values = {name: np.full((runs, frames), np.nan) for name in SHOWN}
    for run in range(runs):
        for i, points in enumerate(snapshots(file(host, run)) if file(host, run).is_file() else ()):
            if np.isfinite(points).all():
                quality = system.mixture.quality(points)
                for name in SHOWN:
                    values[name][run, i] = quality[name]
    return values
