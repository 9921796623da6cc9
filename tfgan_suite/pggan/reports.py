"""What a run writes beside its checkpoints: architecture.txt, netStatus.txt, pictures, the growth."""
from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_suite.events import Event
from tfgan_suite.experiment import whole
from tfgan_suite.files import archive
from tfgan_suite.pggan import describe, sampling
from tfgan_suite.pggan.pyramid import real_batch
from tfgan_suite.pggan.schedule import Moment
from tfgan_suite.pictures import saving, sheets
from tfgan_suite.random import generator

COLUMNS = ("genLoss", "critLoss", "cRealLoss", "cFakeLoss", "extraLoss", "driftLoss")
HEADER = "time and date |res  |bs   |stage  |fadeWt |iter           |" + "|".join(f"{name:10s}"
                                                                                  for name in COLUMNS)
DASHES = "|".join("-" * width for width in (14, 5, 5, 7, 7, 15, *[10] * 6))

MOST_SIDE, MOST_FRAMES = 256, 200  # of growth.gif
STATUS = "netStatus.txt"
FILES = ("architecture.txt", STATUS, "*_fade_*.jpg", "*_stable_*.jpg", "growth", "growth.gif")


def status_row(moment: Moment, values, when: str | None = None) -> str:
    """One row of netStatus.txt.

    Args:
        values: six losses in the order of COLUMNS.
        when: 'HH:MM (dd/mm)', by default now.
    """
    when = when or time.strftime("%H:%M (%d/%m)")
    losses = "".join(f"| {v:9.4f}" for v in values[:5]) + f"| {values[5]:9.5f}"
    return (f" {when}| {moment.resolution:4d}| {moment.batch:4d}| {moment.stage:>6s}| "
            f"{moment.alpha:6.4f}|{moment.shown:15d}"
            + losses)


class Tally:
    """Losses since the last row of netStatus.txt; its variables are part of the run's state.

    The original sums them, since it sets its counter to 1 in place of counting; here they are means. As in
    the original, a row has the critic's losses up to the present iteration and the generator's up to the one
    before.
    """

    def __init__(self):
        shared = {"trainable": False, "aggregation": tf.VariableAggregation.MEAN}
        self.sums = tf.Variable(tf.zeros([6]), name="tally/sums", **shared)
        self.counts = tf.Variable(tf.zeros([2]), name="tally/counts", **shared)
        # loss and count of the newest generator step
        self.pending = tf.Variable(tf.zeros([2]), name="tally/pending", **shared)

    def state(self) -> dict:
        """Name -> variable."""
        return {"tally/sums": self.sums, "tally/counts": self.counts, "tally/pending": self.pending}

    def add_critic(self, losses) -> None:
        """The five losses of a critic step."""
        self.sums.assign_add(tf.concat([[0.0], losses], 0))
        self.counts.assign_add(tf.constant([0.0, 1.0]))

    def add_generator(self, loss) -> None:
        """The loss of a generator step; it counts from the next one on."""
        ready = self.pending.read_value()
        self.sums.assign_add(tf.concat([ready[:1], tf.zeros([5])], 0))
        self.counts.assign_add(tf.stack([ready[1], 0.0]))
        self.pending.assign(tf.stack([loss, 1.0]))

    def take(self) -> np.ndarray:
        """The six means, float32 [6]; starts anew."""
        sums, (generator_steps, critic_steps) = self.sums.numpy(), self.counts.numpy()
        self.sums.assign(tf.zeros([6]))
        self.counts.assign(tf.zeros([2]))
        return sums / np.maximum([generator_steps, *[critic_steps] * 5], 1).astype(np.float32)


class Status:
    """Event: architecture.txt at the start of every process, a row of netStatus.txt every `logStep` images;
    the rows are the lines on the console too, under the two header rows."""

    def __init__(self, system):
        self.system, self.started = system, False

    def due(self, done: int) -> bool:
        """At once, then when the images have passed a multiple of logStep."""
        return not self.started or self.system.schedule.crossed(self.system.params.logStep, done - 1)

    def run(self, done: int, host) -> dict:
        """Appends to the files."""
        folder, system = folder_of(self.system, host), self.system
        moment, rows, head = system.schedule.at(done - 1), [], []
        if not self.started:
            self.started, head = True, [HEADER, DASHES]
            archive.write_bytes(folder / "architecture.txt", describe.of(system).encode())
        new = bool(head) and (done == 1 or not (folder / STATUS).exists())
        if head and done == 1:
            rows.append(status_row(moment, np.zeros(6)))
            archive.write_bytes(folder / STATUS, b"")
        if done > 1 and system.schedule.crossed(system.params.logStep, done - 1):
            rows.append(status_row(moment, system.tally.take()))
        with open(folder / STATUS, "a") as file:
            file.writelines(line + "\n" for line in [*(head if new else ()), *rows])
        for line in (*head, *rows):
            host.line(line)
        return {}


def cut_status(system, log_dir, done: int) -> None:
    """Takes out of netStatus.txt the rows of iterations after `done`, and a torn one."""
    path = Path(system.params.log_path or log_dir) / STATUS
    if not path.is_file():
        return
    last, kept = system.schedule.at(done - 1).shown, []
    for line in path.read_text(errors="replace").splitlines(keepends=True):
        cells = line.split("|")
        is_head = line.rstrip() in (HEADER.rstrip(), DASHES)
        if is_head or (len(cells) == 12 and line.endswith("\n") and whole(cells[5].strip()) is not None
                       and int(cells[5]) <= last):
            kept.append(line)
    archive.write_bytes(path, "".join(kept).encode())


def folder_of(system, host) -> Path:
    """Where the original's files go: `--log_path`, else the run's log folder."""
    folder = Path(system.params.log_path or host.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Console:
    """The lines of a run with `deactivateLog`, which keeps no means: a row of the present losses every
    `logStep` images, under the original's two header rows."""

    def __init__(self, system):
        self.system, self.begun = system, False

    def lines(self, step: int, scalars: dict) -> list[str]:
        """Those of iteration `step`."""
        system, first = self.system, not self.begun
        if not first and not system.schedule.crossed(system.params.logStep, step):
            return []
        self.begun = True
        row = status_row(system.schedule.at(step), [float(scalars[name]) for name in COLUMNS])
        return [*([HEADER, DASHES] if first else []), row]


# -- pictures ------------------------------------------------------------------------------------------------
def picture_name(moment: Moment) -> str:
    """Of the sheet of reals and fakes."""
    return f"{moment.resolution}_{moment.stage}_{moment.shown_here}.jpg"


def reals_above_fakes(system, moment: Moment, source) -> np.ndarray:
    """Eight reals above eight fakes of new latents, two pixels apart, uint8 [h, w, 3]; fewer and smaller ones
    where they have no room on a screen of 1920x1080."""
    seed, shrink = system.params.seed, max(1, moment.resolution // 512)
    side = moment.resolution // shrink
    columns = min(8, 1920 // (side + 2))
    reals = real_batch(system.reals_of_run.pyramid(source), min(columns, len(source)), moment.resolution,
                       seed,
                       "picture", moment.iteration)
    latents = generator(seed, "picture latents",
                        moment.iteration).standard_normal((8, system.params.latentSize))[:columns]
    fakes = system.generate_at(latents.astype(np.float32), moment.level, moment.alpha,
                               system.labels(columns, seed))
    if len(reals) < columns:
        reals = np.concatenate([reals, np.zeros_like(fakes[len(reals):])])
    cells = system.to_uint8(np.concatenate([reals, fakes]))
    return sheets.grid(np.stack([sheets.shrunk(cell, shrink) for cell in cells]), 2, columns, border=2)


def growth_frame(system, side: int) -> np.ndarray:
    """The picture of one fixed latent at present, uint8 [side, side, 3]."""
    seed = system.params.seed
    images = system.generate(system.latents(1, seed), system.labels(1, seed))
    return sampling.resized(sheets.grid(system.to_uint8(images), 1, 1), side)


class GrowthMovie:
    """Event: the same latent again and again while the networks grow, as `growth/N.png`; and, at the end of
    every stage, as `growth.gif`."""

    def __init__(self, system):
        self.system = system
        self.side = min(max(128, system.params.endRes), MOST_SIDE)

    def frame(self, done: int, host) -> Path:
        """Writes the present frame; returns the folder."""
        folder = folder_of(self.system, host) / "growth"
        folder.mkdir(exist_ok=True)
        saving.save(folder / f"{done:09d}.png", growth_frame(self.system, self.side))
        return folder

    def animation(self, done: int, host) -> dict:
        """Adds a frame and writes the animation anew."""
        folder = self.frame(done, host)
        numbers = sorted(int(path.stem) for path in folder.glob("*.png") if whole(path.stem) is not None)
        chosen = spread([n for n in numbers if n <= done], self.system.milestone, MOST_FRAMES)
        pictures = [sampling.resized(np.asarray(Image.open(folder / f"{n:09d}.png").convert("RGB")),
                                     self.side)
                    for n in chosen]
        saving.save_gif(folder.parent / "growth.gif", pictures, 200)
        return {}


def spread(numbers: list[int], always: Callable[[int], bool], most: int) -> list[int]:
    """At most `most` of ascending numbers (more where `always` wants them): those that `always` names, and
    others evenly between them, so that no part of the run is left out."""
    kept = [n for n in numbers if always(n)]
    others = [n for n in numbers if not always(n)]
    room = max(most - len(kept), 0)
    if len(others) > room:
        others = [others[i] for i in np.linspace(0, len(others) - 1, room).astype(int)] if room else []
    return sorted({*kept, *others})


def events(system) -> list[Event]:
    """The events of a run; none with `deactivateLog`."""
    p, schedule = system.params, system.schedule
    if p.deactivateLog:
        return []
    status, growth = Status(system), GrowthMovie(system)

    def picture(done, host):
        moment = schedule.at(done - 1)
        saving.save(folder_of(system, host) / picture_name(moment),
                    reals_above_fakes(system, moment, host.source))
        growth.frame(done, host)
        return {}

    def stage(done, host):
        sheet = system.pictures(p.seed)["samples"]
        if p.log_path:
            folder = folder_of(system, host) / "stages"
            folder.mkdir(exist_ok=True)
            saving.save(folder / f"iter_{done}.png", sheet)
        else:
            host.image("stages", done, sheet)
        return growth.animation(done, host)

    return [Event("status", 1, status.run, due=status.due),
            Event("picture", 1, picture, due=lambda done: schedule.crossed(p.saveImageEvery, done - 1)),
            Event("stage", 1, stage, due=lambda done: schedule.ends_stage(done - 1))]
