"""How a run begins with given weights, goes on with other values, and is gone back to."""
from __future__ import annotations

from collections.abc import Mapping

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole
from tfgan_suite.pggan import snapshots
from tfgan_suite.pggan.parameters import table_of
from tfgan_suite.pggan.schedule import Moment, Schedule, level_of, schedule_of


def begin(system) -> tuple[dict, list[str]]:
    """Loads `--preWtsFile`, if it is given.

    Returns:
        What the run goes on with where it is not given again (`System.begin`), and lines to show.

    Raises:
        UserError: the file cannot be used, or there is none and `--resumeTraining` needs one.
    """
    p = system.params
    if not p.preWtsFile:
        if p.resumeTraining:
            raise UserError("resumeTraining needs the weights to go on with; give --preWtsFile=FILE.pth.tar")
        return {}, []
    decided, lines = snapshots.start_from(system, p.preWtsFile)
    return {"preWtsFile": p.preWtsFile, "resumeTraining": p.resumeTraining, **decided}, lines


def check_start(params, about: Mapping) -> None:
    """Whether weights to start from are those with which the run has begun.

    Raises:
        UserError: others are given, and there are checkpoints.
    """
    given = params.preWtsFile
    if given and about.get("parameters", {}).get("preWtsFile") != given:
        raise UserError(f"preWtsFile={given}: {params.wts_dir} holds checkpoints, with which the run goes "
                        "on; leave it out, or give another --wts_dir (--tag=NAME)")


def is_at(schedule: Schedule, place: str, arrays: Mapping) -> bool:
    """Whether a generator's file is of the resolution that `place` names, such as 64x64.

    Raises:
        UserError: it names none of the run.
    """
    side, _, other = place.partition("x")
    sides = [4 << level for level in range(schedule.last + 1)]
    if side != other or whole(side) not in sides:
        raise UserError(f"--from={place}: give an iteration, or a resolution of this run such as "
                        f"{sides[-1]}x{sides[-1]}")
    return "progress" in arrays and 4 << int(arrays["progress"][0]) == int(side)


def continued(params, history: list) -> Schedule:
    """The schedule of a run whose lengths, batches or last resolution have been changed on the way.

    Args:
        params: as they are now.
        history: of the run: entries with 'iteration' and 'changed' (name -> [old, new]), the newest last.

    Raises:
        UserError: the newest change is of what is finished.
    """
    names = ("batch_table", "rate_table", "samplesWhileStable", "samplesWhileFade", "endRes")
    turns = [(entry["iteration"], {n: pair[0] for n, pair in entry.get("changed", {}).items() if n in names})
             for entry in history]
    turns = [(iteration, old) for iteration, old in turns if old]
    sets = [params]
    for _, old in reversed(turns):
        sets.insert(0, sets[0].replace(**old))
    schedule = schedule_of(sets[0])
    for (iteration, _), before, now in zip(turns, sets, sets[1:]):
        following = schedule.then(iteration, schedule_of(now))
        _check_turn(before, now, schedule.at(iteration), following.at(iteration))
        schedule = following
    return schedule


def _check_turn(before, now, here: Moment, then: Moment) -> None:
    """Whether a run that is `here` may go on with other parameters, by which it is at `then`."""
    if now.endRes < before.endRes:
        raise UserError(f"endRes={now.endRes}: the networks of this run have grown for {before.endRes}; go "
                        "on with the old value or give another --wts_dir (--tag=NAME)")
    if (here.level, here.stage, then.stage) == (then.level, "stable", "fade"):
        raise UserError(f"samplesWhileFade={now.samplesWhileFade}: {here.resolution}x{here.resolution} is "
                        f"faded in after {before.samplesWhileFade} images; go on with the old value until "
                        "the next resolution")
    for name in ("batch_table", "rate_table"):
        _check_finished(name, before, now, here.level)


def _check_finished(name: str, before, now, level: int) -> None:
    """Whether two tables of parameters agree in the levels below `level`.

    Raises:
        UserError: they do not.
    """
    old, new = (table_of(p.values[name], float) for p in (before, now))
    for resolution in (4 << done for done in range(level_of(now.startRes), level)):
        if old.get(resolution) != new.get(resolution):
            raise UserError(f"{name}={now.values[name]}: {resolution}x{resolution} is finished and was "
                            f"trained with {name}={before.values[name]}; leave its entry as it was")
