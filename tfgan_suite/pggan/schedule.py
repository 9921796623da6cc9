"""When PGGAN grows: a pure function of the iteration, so that a run goes on from any moment.

The first resolution is only trained stably. Each further one is faded in (alpha from 0 up to 1) and then
trained stably. A stage lasts a number of images; the batch depends on the resolution.
"""
from __future__ import annotations

import bisect
from dataclasses import dataclass, replace
from functools import cached_property

from tfgan_suite.errors import UserError
from tfgan_suite.pggan.parameters import resume_words, table_of


@dataclass(frozen=True)
class Moment:
    """One iteration.

    Attributes:
        iteration: its number, from 0.
        level: 0 for 4x4, 1 for 8x8, ...
        resolution, batch: of its real images.
        stage: 'fade' or 'stable'.
        alpha: weight of the newest level, 1.0 when stable.
        shown, shown_here: images before it, in all and at this resolution.
    """

    iteration: int
    level: int
    resolution: int
    batch: int
    stage: str
    alpha: float
    shown: int
    shown_here: int


def level_of(resolution: int) -> int:
    """0 for 4, 1 for 8, ..."""
    return resolution.bit_length() - 3


@dataclass(frozen=True)
class Schedule:
    """All iterations of a run.

    Args:
        first, last: levels.
        stable, fade: images of a stage.
        batches: resolution -> batch.
        start_level, start_images: where the run begins (`--resumeTraining`), by default at the first level.
        start_iteration, start_shown: its first iteration and the images shown before it, where another
            schedule held before.
        earlier: that one.
    """

    first: int
    last: int
    stable: int
    fade: int
    batches: dict
    start_level: int
    start_images: int = 0
    start_iteration: int = 0
    start_shown: int | None = None
    earlier: Schedule | None = None

    @cached_property
    def _table(self) -> tuple[list[int], list[int]]:
        """For each level and the end: its first iteration, and the images shown before it."""
        starts, begin = [self.start_iteration], self.start_images
        shown = [self._shown_before() if self.start_shown is None else self.start_shown]
        for level in self.levels:
            count = -(-max(self.images(level) - begin, 0) // self.batch(level))
            starts.append(starts[-1] + count)
            shown.append(shown[-1] + count * self.batch(level))
            begin = 0
        return starts, shown

    def _shown_before(self) -> int:
        grown = self.start_level - self.first
        return self.start_images + (grown * (self.stable + self.fade) - self.fade if grown else 0)

    @property
    def levels(self) -> range:
        """Those of this run."""
        return range(self.start_level, self.last + 1)

    def images(self, level: int) -> int:
        """Images of a whole level."""
        return self.stable if level == self.first else self.stable + self.fade

    def batch(self, level: int) -> int:
        """Batch of a level."""
        return self.batches[4 << level]

    @property
    def iterations(self) -> int:
        """How many iterations the run has."""
        return self._table[0][-1]

    def first_iteration(self, level: int) -> int:
        """The level's first iteration in this run."""
        return self._table[0][level - self.start_level]

    def images_at(self, level: int) -> int:
        """Images that were shown at this level before its first iteration in this run."""
        return self.start_images if level == self.start_level else 0

    def alpha(self, level: int, local) -> float:
        """Weight of the level in its fade: the share of the fade's images that have been shown; 1 or more
        after it.

        Args:
            local: iterations at this level in this run, a number or a float64 tensor.
        """
        return (self.images_at(level) + local * self.batch(level)) / self.fade

    def at(self, iteration: int) -> Moment:
        """The moment of an iteration; one beyond the end has the last level, stable."""
        if self.earlier is not None and iteration < self.start_iteration:
            return self.earlier.at(iteration)
        index = min(bisect.bisect_right(self._table[0], iteration) - 1, self.last - self.start_level)
        level, local = self.start_level + index, iteration - self._table[0][index]
        here = self.images_at(level) + local * self.batch(level)
        alpha = 1.0 if level == self.first or self.fade == 0 else min(self.alpha(level, local), 1.0)
        return Moment(iteration, level, 4 << level, self.batch(level), "fade" if alpha < 1 else "stable",
                      alpha,
                      self._table[1][index] + local * self.batch(level), here)

    def then(self, iteration: int, other: Schedule) -> Schedule:
        """`other` from `iteration` on, where this one has led to."""
        here = self.at(iteration)
        return replace(other, start_level=here.level, start_images=here.shown_here, start_iteration=iteration,
                       start_shown=here.shown, earlier=self)

    def crossed(self, every: int, iteration: int) -> bool:
        """Whether the images shown before `iteration` have passed a multiple of `every` since the iteration
        before it."""
        before = self.at(iteration - 1).shown // every if iteration > 0 else 0
        return self.at(iteration).shown // every > before

    def ends_stage(self, iteration: int) -> bool:
        """Whether `iteration` is the last of a fade or of a stable stage."""
        if iteration + 1 >= self.iterations:
            return True
        now, then = self.at(iteration), self.at(iteration + 1)
        return (now.level, now.stage) != (then.level, then.stage)


def batches_of(table: str) -> dict[int, int]:
    """'4:32,8:32' -> {4: 32, 8: 32}.

    Raises:
        UserError: not of that form.
    """
    found = table_of(table)
    if not found or min(found.values()) < 1:
        raise UserError(f"batch_table={table}: give RES:BATCH pairs, such as 4:32,8:32,16:16")
    return found


def rate_of(params, level: int, given: float) -> float:
    """The Adam rate of a level: that of the last resolution up to its own in `rate_table`, else `given`."""
    rates = table_of(params.rate_table, float)
    known = [resolution for resolution in rates if resolution <= 4 << level]
    return rates[max(known)] if known else given


def check_groups(params, batches: dict) -> None:
    """Whether the minibatch standard deviation can divide every batch into its groups; the paper's networks
    take
    the whole batch for a group where it is smaller.

    Raises:
        UserError: it cannot.
    """
    for resolution in (4 << level for level in range(level_of(params.startRes), level_of(params.endRes) + 1)):
        batch = batches[resolution]
        group = min(params.stdDevGroup, batch) if params.networks == "paper" else params.stdDevGroup
        if group > 1 and batch % group:
            raise UserError(f"stdDevGroup={params.stdDevGroup} does not divide the batch {batch} of "
                            f"resolution {resolution}; change stdDevGroup or batch_table")


def check_devices(params, batches: dict, replicas: int) -> None:
    """Whether the devices can divide every batch.

    Raises:
        UserError: they cannot.
    """
    for resolution in (4 << level for level in range(level_of(params.startRes), level_of(params.endRes) + 1)):
        if batches[resolution] % replicas:
            raise UserError(f"batch_table={params.batch_table}: the batch {batches[resolution]} of "
                            f"resolution {resolution} cannot be split over {replicas} devices; give "
                            f"multiples of {replicas}")


def start_of(params, last: int) -> tuple[int, int]:
    """Where `--resumeTraining` begins: (level, images shown there).

    Raises:
        UserError: this run cannot begin there (the original then begins at zero).
    """
    first, asked = level_of(params.startRes), f"resumeTraining={params.resumeTraining}"
    if not params.resumeTraining:
        return first, 0
    resolution, images = map(int, resume_words(params.resumeTraining))
    if resolution not in [4 << level for level in range(first, last + 1)]:
        raise UserError(f"{asked}: resolution {resolution} is not one of this run; give one from "
                        f"{params.startRes} to {params.endRes}")
    level, fade = level_of(resolution), params.samplesWhileFade
    total = params.samplesWhileStable + (fade if level > first else 0)
    if images > total:
        raise UserError(f"{asked}: {images} images are more than the {total} that resolution {resolution} is "
                        "trained with; give fewer, or the next resolution")
    if level > first and images < fade and not str(params.preWtsFile).endswith(".npz"):
        raise UserError(f"{asked}: snapshots are resumed in stable stages; give at least the {fade} images "
                        f"of the fade")
    return level, images


def schedule_of(params) -> Schedule:
    """The schedule of an experiment.

    Raises:
        UserError: endRes below startRes, a resolution without a batch, a batch that the minibatch-stddev
            group does not divide, or an impossible `resumeTraining`.
    """
    first, last = level_of(params.startRes), level_of(params.endRes)
    if last < first:
        raise UserError(f"endRes={params.endRes} is below startRes={params.startRes}; raise endRes")
    batches = batches_of(params.batch_table)
    for resolution in (4 << level for level in range(first, last + 1)):
        if resolution not in batches:
            raise UserError(f"batch_table={params.batch_table}: has no batch for {resolution}, needed for "
                            f"endRes={params.endRes}; add {resolution}:16")
    check_groups(params, batches)
    level, images = start_of(params, last)
    return Schedule(first, last, params.samplesWhileStable, params.samplesWhileFade, batches, level, images)
