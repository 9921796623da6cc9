"""Where a run goes on, with what of an earlier one, and whether it may: the checkpoint, the changed values,
the weights."""
from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tfgan_suite import options
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters, whole
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints

# where a run lies, not what it is; the system is compared by itself
PLACES = ("system", "wts_dir", "log_dir", "tag")


@dataclass(frozen=True)
class Start:
    """A place to go on from.

    Attributes:
        number: iterations done.
        numbers: network kind -> iteration of its file; empty for a fresh run.
        own: whether there is a state file of ours with it.
    """

    number: int = 0
    numbers: dict | None = None
    own: bool = False

    @property
    def found(self) -> bool:
        """Whether there is anything to go on from."""
        return bool(self.numbers)


def decided(params: Parameters) -> dict:
    """The values that the start of the run in `wts_dir` has decided (`System.begin`), of parameters that are
    not given now."""
    files = Checkpoints(params.wts_dir)
    newest = files.newest("state")
    with contextlib.suppress(UserError):  # what cannot be read is told when it is chosen
        found = files.about(newest).get("decided", {}) if newest is not None else {}
        return {name: value for name, value in found.items() if params.sources.get(name) == "default"}
    return {}


def number_of(wanted: int | str | None, files: Checkpoints, system) -> int | None:
    """The iteration that `--from` means: a number, or the newest whole checkpoint of a place that the
    system knows.

    Raises:
        UserError: there is no such place, or no checkpoint of it.
    """
    if wanted is None or isinstance(wanted, int):
        return wanted
    number = whole(wanted)
    if number is not None:
        return number
    first, own = files.kinds[0], files.complete()
    there = [n for n in own if system.is_at(wanted, Archive(files.path(first, n)))]
    if not there:
        raise UserError(f"--from={wanted}: {files.folder} holds no whole checkpoint of it; there are "
                        f"iterations {', '.join(map(str, own)) or 'none'}")
    return there[-1]


def choose(files: Checkpoints, wanted: int | None, line: Callable[[str], None]) -> Start:
    """The newest checkpoint, or that of iteration `wanted`.

    Ours with its state comes before the original's older ones; a complete pair without a state that is newer
    is used, as the original would. What is newer and not complete is ignored, with a line.

    Raises:
        UserError: there is none of that iteration.
    """
    own, pairs = files.complete(), files.pairs()
    if wanted is not None:
        return _wanted(files, wanted, own, pairs)
    newest = own[-1] if own else -1
    if pairs and pairs[-1] > newest >= 0:
        line(f"Note: iteration {pairs[-1]} has no state file, so it is the original program's; it is newer "
             f"than the checkpoint of iteration {newest} and is used")
        return _whole(files, pairs[-1], own=False)
    if own:
        _tell_ignored(files, newest, line)
        return _whole(files, newest, own=True)
    return _original(files, line)


def _whole(files: Checkpoints, number: int, own: bool) -> Start:
    return Start(number, {kind: number for kind in files.kinds if files.path(kind, number).is_file()}, own)


def _wanted(files: Checkpoints, wanted: int, own: list, pairs: list) -> Start:
    if wanted in own or wanted in pairs:
        return _whole(files, wanted, wanted in own)
    there = ", ".join(map(str, sorted({*own, *pairs}))) or "none"
    raise UserError(f"--from={wanted}: {files.folder} holds no whole checkpoint of this iteration; there "
                    f"are: {there} (--keep_every=N keeps more of them)")


def _tell_ignored(files: Checkpoints, newest: int, line) -> None:
    for number in files.after(newest):
        for kind in files.kinds:
            if files.path(kind, number).is_file():
                line(f"Ignoring {files.path(kind, number)}: its checkpoint is not complete")
                break


def _original(files: Checkpoints, line) -> Start:
    """As ayanc/rpgan does: the newest file of each network. Those beside a state file are an incomplete
    checkpoint of ours."""
    ours, numbers = set(files.numbers("state")), {}
    for number in sorted(ours):
        line(f"Ignoring iteration {number} in {files.folder}: its checkpoint is not complete")
    for kind in files.kinds:
        usable = [number for number in files.numbers(kind) if number not in ours]
        if usable:
            numbers[kind] = usable[-1]
    first = files.kinds[0]
    return Start(numbers[first], numbers) if first in numbers else Start()


# -- may it? -------------------------------------------------------------------------------------------------
def recorded(files: Checkpoints, start: Start, params: Parameters) -> dict:
    """What is known of the run that wrote a checkpoint: the `about` of its state file.

    Of runs of earlier versions the state tells only some of the parameters; where the log folder's
    `config.json` is of this run, it tells the others.
    """
    if not start.own:
        return {}
    about = files.about(start.number)
    if "parameters" not in about:
        values = config_of(params.log_dir).get("parameters", {})
        if values and _same_place(values.get("wts_dir"), params.wts_dir):
            about = {**about, "parameters": {**values, **about.get("fixed", {})}}
    return about


def config_of(log_dir) -> dict:
    """What `config.json` of a log folder says; {} if there is none that can be read."""
    try:
        content = json.loads((Path(log_dir) / "config.json").read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and isinstance(content.get("parameters"), dict) else {}


def _same_place(a, b) -> bool:
    return isinstance(a, str) and Path(a).absolute() == Path(b).absolute()


def other_run(params: Parameters) -> str:
    """The weights folder of another run to which the logs in `log_dir` belong, or ''.

    One that is no longer there has been renamed: it is taken for this one.
    """
    folder = config_of(params.log_dir).get("parameters", {}).get("wts_dir")
    if not isinstance(folder, str) or not Path(folder).exists() or not Path(params.wts_dir).exists():
        return ""
    return "" if Path(folder).samefile(params.wts_dir) else folder


def changes(params: Parameters, about: dict) -> dict[str, list]:
    """Name -> [old, new] of all values that are not those with which the checkpoint was trained.

    A parameter that came later than the checkpoint had the value that is its default now.
    """
    old = {name: p.default for name, p in params.declared.items()} if "parameters" in about else {}
    old = {**old, **about.get("parameters", {}), **about.get("fixed", {})}
    return {name: [old[name], params.values[name]] for name in params.declared
            if name in old and name not in PLACES and old[name] != params.values[name]}


def check(params: Parameters, about: dict, number: int, rewrites: Callable[[Parameters, int], str],
          allowed: bool) -> dict:
    """The changes, if a run may go on with them.

    Args:
        rewrites: `System.rewrites_past`.
        allowed: the user has said `--change`.

    Raises:
        UserError: other networks or data, another past, or another objective without `--change`.
    """
    changed, place = changes(params, about), params.wts_dir
    if about.get("system", params.system) != params.system:
        raise UserError(f"{place}: was trained with system={about['system']}, this run has "
                        f"system={params.system}; give another --wts_dir")
    meaning = {name: params.declared[name].change for name in changed}
    for name, (old, new) in changed.items():
        if meaning[name] == "never":
            raise UserError(f"{place}: was trained with {name}={old}, this run has {name}={new}; go on with "
                            "the old value or give another --wts_dir (--tag=NAME)")
    later = {name: params.declared[name].convert(old, f"{place}: the record of its run")
             for name, (old, _) in changed.items() if meaning[name] == "later"}
    problem = rewrites(params.replace(**later), number) if later else ""
    if problem:
        names = ", ".join(f"{name}={changed[name][0]} -> {changed[name][1]}" for name in later)
        raise UserError(f"{place}: {names}: {problem}; go on with the old value or give another --wts_dir "
                        f"(--tag=NAME)")
    asked = [name for name in changed if meaning[name] == "ask"]
    if asked and not allowed:
        before = ", ".join(f"{name}={changed[name][0]}" for name in asked)
        now = ", ".join(f"{name}={changed[name][1]}" for name in asked)
        raise UserError(f"{place}: iteration {number} was trained with {before}, this run has {now}; go on "
                        "with the old value, train anew beside it with --tag=NAME, or give --change to go "
                        "on with the new value from here")
    return changed


def history(about: dict, changed: dict, number: int) -> list[dict]:
    """What was changed in a run, at which iterations, with what is `changed` now at the end."""
    entry = {"iteration": number, "changed": changed, "date": time.strftime("%Y-%m-%d %H:%M:%S")}
    return [*about.get("history", []), *([entry] if changed else [])]


def annealing(system, about: dict, number: int) -> list[str]:
    """A line about gamma where a run goes on that is planned for another length than before: annealing
    follows the length."""
    was, now = about.get("planned", system.planned), system.planned
    if was == now or not system.params.values.get("annealing") or "js" not in options.active(system.params):
        return []
    return [f"Note: annealing follows the planned length: after iteration {number} gamma was "
            f"{system.gamma_at(number, was):.6g} (of {was} iterations), it is "
            f"{system.gamma_at(number, now):.6g} now (of {now})"]


# -- the weights ---------------------------------------------------------------------------------------------
def load(system, files: Checkpoints, start: Start, line: Callable[[str], None]) -> None:
    """Loads networks and state, and says what it loads and what starts afresh.

    Args:
        system: a `System` in training.
        line: writes one console line.
    """
    first = files.kinds[0]
    for kind in reversed(files.kinds):
        number, source = start.numbers.get(kind), system.copies.get(kind)
        if number is not None:
            _load(system, files, kind, number, line)
            if number != start.number:
                line(f"Note: {kind.upper()} is of iteration {number}, {first.upper()} of iteration "
                     f"{start.number}")
        elif source is None:
            line(f"Note: no checkpoint of {kind.upper()}; it starts afresh")
    for kind, source in system.copies.items():
        if kind in files.kinds and kind not in start.numbers:
            system.networks[kind].assign(dict(system.networks[source].arrays()))
            line(f"Note: no checkpoint of {kind.upper()}; it starts as a copy of {source.upper()}")
    if not start.own:
        line("Note: no optimiser state beside these weights; the optimisers start afresh")
        return
    afresh, unused = files.load_state(start.number, system.state())
    path = files.path("state", start.number)
    if afresh:
        line(f"Note: {path} has no {_some(afresh)}; what it lacks starts afresh")
    if unused:
        line(f"Note: {path}: not used here: {_some(unused)}")


def _load(system, files: Checkpoints, kind: str, number: int, line) -> None:
    path = files.path(kind, number)
    line(f"Restoring {kind.upper()} from {path}")
    system.load_original(kind, Archive(path))
    line("Done!")


def _some(names: list[str], most: int = 4) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
