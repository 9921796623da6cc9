"""What a run writes beside its checkpoints: architecture.txt, netStatus.txt, pictures, the growth."""
from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_suite.experiment import whole
from tfgan_suite.files import archive
from tfgan_suite.pggan import describe
from tfgan_suite.pggan.pyramid import real_batch
from tfgan_suite.pggan.schedule import Moment
from tfgan_suite.pictures import saving, sheets
from tfgan_suite.random import generator
from tfgan_suite.system import Event

COLUMNS = ("genLoss", "critLoss", "cRealLoss", "cFakeLoss", "extraLoss", "driftLoss")
HEADER = "time and date |res  |bs   |stage  |fadeWt |iter           |" + "|".join(f"{name:10s}"
                                                                                  for name in COLUMNS)
DASHES = "|".join("-" * width for width in (14, 5, 5, 7, 7, 15, *[10] * 6))

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
    """Event: architecture.txt at the start of every process, a row of netStatus.txt every `logStep`
    images."""

    def __init__(self, system):
        self.system, self.started = system, False

    def due(self, done: int) -> bool:
        """At once, then when the images have passed a multiple of logStep."""
        return not self.started or self.system.schedule.crossed(self.system.params.logStep, done - 1)

    def run(self, done: int, host) -> dict:
        """Appends to the files."""
        folder, system = folder_of(system=self.system, host=host), self.system
        moment, lines = system.schedule.at(done - 1), []
        if not self.started:
            self.started = True
            archive.write_bytes(folder / "architecture.txt",
                                describe.text(system.params, system.sizes).encode())
            if done == 1 or not (folder / STATUS).exists():
                lines = [HEADER, DASHES]
            if done == 1:
                lines.append(status_row(moment, np.zeros(6)))
                archive.write_bytes(folder / STATUS, b"")
        if done > 1 and system.schedule.crossed(system.params.logStep, done - 1):
            lines.append(status_row(moment, system.tally.take()))
        with open(folder / STATUS, "a") as file:
            file.writelines(line + "\n" for line in lines)
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
    """The lines on the terminal: a row of the present losses every `logStep` images, under the original's two
    header rows."""

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
    """Eight reals above eight fakes of new latents, two pixels apart, uint8 [h, w, 3]."""
    seed = system.params.seed
    reals = real_batch(system.pyramid(source), min(8, len(source)), moment.resolution, seed, "picture",
                       moment.iteration)
    latents = generator(seed, "picture latents",
                        moment.iteration).standard_normal((8, system.params.latentSize))
    fakes = system.generate_at(latents.astype(np.float32), moment.level, moment.alpha)
    if len(reals) < 8:
        reals = np.concatenate([reals, np.zeros_like(fakes[len(reals):])])
    return sheets.grid(system.to_uint8(np.concatenate([reals, fakes])), 2, 8, border=2)


def growth_frame(system, side: int) -> np.ndarray:
    """The picture of one fixed latent at present, enlarged to side x side, uint8 [side, side, 3]."""
    picture = sheets.grid(system.to_uint8(system.generate(system.latents(1, system.params.seed))), 1, 1)
    times = max(1, side // len(picture))
    return picture.repeat(times, 0).repeat(times, 1)


class Growth:
    """Event: the same latent again and again while the networks grow, as `growth/N.png` and as
    `growth.gif`."""

    def __init__(self, system):
        self.system = system
        self.side = max(128, system.params.endRes)

    def run(self, done: int, host) -> dict:
        """Adds a frame and writes the animation anew."""
        folder = folder_of(self.system, host) / "growth"
        folder.mkdir(exist_ok=True)
        saving.save(folder / f"{done:09d}.png", growth_frame(self.system, self.side))
        frames = [path for path in sorted(folder.glob("*.png")) if whole(path.stem) is not None
                  and int(path.stem) <= done]
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path in frames[-200:]]
        saving.save_gif(folder.parent / "growth.gif", pictures, 200)
        return {}


def events(system) -> list[Event]:
    """The events of a run; none with `deactivateLog`."""
    p, schedule = system.params, system.schedule
    if p.deactivateLog:
        return []
    status, growth = Status(system), Growth(system)

    def picture(done, host):
        moment = schedule.at(done - 1)
        saving.save(folder_of(system, host) / picture_name(moment),
                    reals_above_fakes(system, moment, host.source))
        return growth.run(done, host)

    def stage(done, host):
        host.image("stages", done, system.pictures(p.seed)["samples"])
        return growth.run(done, host)

    return [Event("status", 1, status.run, due=status.due),
            Event("picture", 1, picture, due=lambda done: schedule.crossed(p.saveImageEvery, done - 1)),
            Event("stage", 1, stage, due=lambda done: schedule.ends_stage(done - 1))]
