"""Experiments: `exp/NAME.py` plus `--name=value` gives checked, typed, immutable parameters.

An experiment is a plain Python module of flat `name = value` lines, as in ayanc/rpgan. Nothing here imports
TensorFlow, so that `--help` and `--list` answer at once.
"""
from __future__ import annotations

import difflib
import functools
import math
import os
import re
import runpy
import sys
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

from tfgan_suite import registry
from tfgan_suite.errors import UserError

_PACKAGE = Path(__file__).resolve().parent
# Scripts, experiments and trained weights: inside an installed package, beside it in a checkout.
_HOME = _PACKAGE if (_PACKAGE / "scripts").is_dir() else _PACKAGE.parent
SCRIPTS = _HOME / "scripts" if _HOME == _PACKAGE else _HOME
EXPERIMENTS, PRETRAINED = _HOME / "exp", _HOME / "pretrained"
_DIGITS = 18  # of a whole number; a longer one means nothing here
_LONGEST_NAME, _LONGEST_PATH = 255, 4000  # bytes of one name in a path, and of all; systems refuse more
TRUE, FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")
BOOLEANS = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
CHANGES = ("never", "ask", "later", "free")


def whole(text: str) -> int | None:
    """The number of a text of plain digits; None for any other text, such as '²', a digit for Python."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


@dataclass(frozen=True)
class Parameter:
    """One declared parameter of a system.

    Args:
        name: the original's spelling.
        default: the original's default; `None` means "not given" and then `type` must be set.
        help: one line.
        type: `bool`, `int`, `float` or `str`; by default the type of `default`.
        choices: the allowed values, if only some are.
        minimum, maximum: inclusive bounds for numbers. NaN is never allowed.
        change: what another value means for a run that is under way. 'never': other networks or other data,
            it cannot be resumed; 'ask': another objective, it is resumed with it only by `--change`; 'later':
            allowed unless it alters what has been done already (`System.rewrites_past`); 'free': the run is
            longer, shorter, or tells other things.
        fixed: the same as change='never'.
        check: called with the converted value; returns what is wrong with it, or an empty string.
        home: it names a folder of the run: `wts_dir` and `log_dir` that are not given lie below it, as
            `models` and `logs`.
        words: how many words of a command line it may take, `--name A B` for 'A B'.
        reads: turns other spellings of a value into the one that `type` understands.
    """

    name: str
    default: Any
    help: str
    type: Any = None
    choices: tuple = ()
    minimum: float | None = None
    maximum: float | None = None
    fixed: bool = False
    check: Callable[[Any], str] | None = None
    change: str = "ask"
    home: bool = False
    words: int = 1
    reads: Callable[[Any], Any] | None = None

    def __post_init__(self):
        if self.type is None:
            object.__setattr__(self, "type", type(self.default))
        if self.fixed:
            object.__setattr__(self, "change", "never")
        assert self.change in CHANGES, self.change

    def convert(self, value, where: str):
        """`value` (from a file or a command line) in this parameter's type.

        Raises:
            UserError: wrong type, NaN, out of bounds or not among the choices; `where` names the place.
        """
        if value is None or (isinstance(value, str) and value == "None" and self.default is None):
            if self.default is None:
                return None
            raise UserError(f"{where}: {self.name} needs a value of type {self.type.__name__}")
        result = _convert(self, self.reads(value) if self.reads else value, where)
        if isinstance(result, str):
            result = usable(result, self.name, where)
        if isinstance(result, float) and not math.isfinite(result):
            what = "is not a number" if math.isnan(result) else "is not finite"
            raise UserError(f"{where}: {self.name}={value} {what}; give a finite value")
        if self.choices and result not in self.choices:
            raise UserError(f"{where}: {self.name}={value} is unknown; choose from "
                            f"{', '.join(map(str, self.choices))}")
        if self.minimum is not None and result < self.minimum:
            raise UserError(f"{where}: {self.name}={value} is too small; the least value is {self.minimum}")
        if self.maximum is not None and result > self.maximum:
            raise UserError(f"{where}: {self.name}={value} is too large; the largest value is {self.maximum}")
        problem = self.check(result) if self.check else ""
        if problem:
            raise UserError(f"{where}: {self.name}={value}: {problem}")
        return result


def usable(text: str, name: str, where: str) -> str:
    """A text as it is; one that begins with `~` as shells expand it, who do not do so behind `--name=`.

    Raises:
        UserError: it cannot be a name.
    """
    if "\0" in text:
        raise UserError(f"{where}: {name} holds a NUL character; correct it")
    if len(text) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in os.fsencode(text).split(b"/")):
        raise UserError(f"{where}: {name}={text[:40]}... is too long for a name (at most {_LONGEST_NAME} "
                        f"bytes between slashes); give a shorter one")
    return os.path.expanduser(text)


def _number(value):
    """A number, or a text of one; not what only Python takes for one ('1_0', digits of other scripts)."""
    if not isinstance(value, str):
        return value if isinstance(value, int) else float(value)
    if not value.isascii() or "_" in value:
        raise ValueError
    return int(value) if whole(value.strip().lstrip("+-")) is not None else float(value)


def _convert(parameter: Parameter, value, where: str):
    wanted = parameter.type
    try:
        if wanted is bool:
            return value if isinstance(value, bool) else BOOLEANS[str(value).lower()]
        if isinstance(value, bool) or wanted is str and not isinstance(value, str):
            raise ValueError
        if wanted is str:
            return value
        number = _number(value)
        if wanted is int and number != int(number):
            raise ValueError
        return wanted(number)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise UserError(f"{where}: {parameter.name}={value!r} is not of type {wanted.__name__}") from None


def _tag(value: str) -> str:
    odd = "/" in value or not value.isprintable() or value.startswith(".") or len(value) > 100
    return "give a short word without slashes, such as seed1" if odd else ""


def iterations(text: str) -> tuple[int, int] | None:
    """'A:B' -> (A, B); None if it is no such pair with A < B."""
    found = tuple(map(whole, text.partition(":")[::2]))
    return found if None not in found and found[0] < found[1] else None


def _profile(value: str) -> str:
    return "" if not value or iterations(value) else "give two iterations A:B with A < B"


COMMON = (
    Parameter("system", "rpgan", "which paper the experiment runs", fixed=True),
    Parameter("tag", "", "appended to the folders: models/NAME-TAG, logs/...", check=_tag, change="free"),
    Parameter("wts_dir", "", "folder of the checkpoints (default: models/NAME)", change="free"),
    Parameter("log_dir", "", "folder of logs, metrics and sample grids (default: logs/NAME)", change="free"),
    Parameter("seed", 0, "seed of all random draws (weights, latents, ...)", minimum=0, maximum=2**31 - 1),
    Parameter("precision", "float32",
              "compute type; float32_fast: float32 whose products a CPU may make in bfloat16",
              choices=("float32", "float32_fast", "bfloat16", "float16")),
    Parameter("deterministic", False, "TensorFlow's op determinism: equal to the bit on GPUs too; slower",
              change="free"),
    Parameter("log_every", 20, "iterations between two records of the scalars", minimum=1, change="free"),
    Parameter("console_every", 0.0, "seconds between lines of losses off a terminal (0: the original's)",
              minimum=0.0, change="free"),
    Parameter("sample_every", 0, "iterations between sample grids (0: with each checkpoint)", minimum=0,
              change="free"),
    Parameter("keep_every", 0,
              "iterations whose whole checkpoint stays, for --from to go back to (0: the newest only)",
              minimum=0, change="free"),
    Parameter("resume_every", 0,
              "iterations between checkpoints to go on from; the others hold what sampling needs (0: all)",
              minimum=0, change="free"),
    Parameter("profile", "", "A:B writes a TensorFlow profile of these iterations into the log folder",
              check=_profile, change="free"),
)


@dataclass(frozen=True)
class Parameters:
    """Resolved parameters: read as attributes, never changed.

    Attributes:
        name: the experiment's name.
        values: parameter name -> value.
        sources: parameter name -> 'default', 'experiment' or 'command line'.
        declared: parameter name -> its `Parameter`.
        text: source text of the experiment file.
    """

    name: str
    values: dict
    sources: dict = field(default_factory=dict)
    declared: dict = field(default_factory=dict)
    text: str = ""

    def __getattr__(self, name):
        values = object.__getattribute__(self, "values")
        if name in values:
            return values[name]
        raise AttributeError(f"experiment {object.__getattribute__(self, 'name')} has no parameter {name}")

    def replace(self, **changes) -> Parameters:
        """A copy with some values changed (unchecked: for tests and derived set-ups)."""
        return Parameters(self.name, {**self.values, **changes}, self.sources, self.declared, self.text)

    def batch_option(self) -> str:
        """What this system calls the size of its batch."""
        return next((n for n in self.declared if n.lower().replace("_", "") in ("batchsize", "bsz")), "batch")

    def fixed(self) -> dict:
        """The values that a resumed run must share with the run that it resumes."""
        return {n: self.values[n] for n, p in self.declared.items() if p.change == "never" and n != "system"}


def experiment_dirs() -> list[Path]:
    """Where experiments are looked for: `exp/` of the current folder, then `exp/` of the suite."""
    return list(dict.fromkeys([Path("exp").resolve(), EXPERIMENTS]))


def names() -> list[str]:
    """All experiment names, sorted."""
    return sorted({p.stem for d in experiment_dirs() if d.is_dir() for p in d.glob("*.py")
                   if p.is_file() and not p.stem.startswith("_")})


def find(name: str) -> Path:
    """The file of an experiment, given its name or a path that ends in `.py`.

    Raises:
        UserError: there is none; the line gives the nearest name.
    """
    is_path = os.sep in name or name.startswith((".", "~"))
    if name.endswith(".py") and os.path.isfile(name):
        return Path(name)
    for folder in experiment_dirs() if name and not is_path else ():
        path = folder / f"{name}.py"
        if os.path.isfile(path):
            return path
    if os.path.isdir(name):
        raise UserError(f"{name}: is a folder, not an experiment; give a name, or the path of a .py file")
    if name.endswith(".py"):
        raise UserError(f"{name}: no such experiment file")
    if is_path:
        raise UserError(f"{name}: no such file or folder; --list shows the experiments, which need no path")
    raise UserError(f"unknown experiment '{name}'{nearest(name, names())}; --list shows them all")


def nearest(name: str, valid) -> str:
    """`; did you mean '...'?`, or nothing where no valid name is near."""
    same = [word for word in valid if word.lower() == name.lower()]
    close = same or difflib.get_close_matches(name, list(valid), 1, 0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def source_text(path: Path) -> str:
    """The text of an experiment file, in the encoding that it declares (UTF-8 by default).

    Raises:
        UserError: it cannot be read.
    """
    try:
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError, ValueError):  # an unknown encoding is a SyntaxError
        raise UserError(f"{path}: is not UTF-8 text; save it as UTF-8, or declare its encoding in the first "
                        f"line, such as '# -*- coding: latin-1 -*-'") from None


def title(name: str) -> str:
    """The first line of an experiment's docstring; what is wrong with the file where it cannot be read."""
    try:
        text = source_text(find(name)).lstrip()
    except UserError as error:
        return f"({error})"
    found = re.match(r'"""\s*(.*?)\s*("""|\n)', text)
    return found[1] if found else ""


def read(path: Path) -> tuple[dict, str]:
    """The public values that an experiment file sets, and its text.

    Raises:
        UserError: the file does not run.
    """
    text = source_text(path)
    try:
        module = runpy.run_path(str(path))
    except (Exception, SystemExit) as error:  # whatever a user's file raises is that file's mistake
        raise UserError(f"{path}: {type(error).__name__}: {error}") from error
    return {k: v for k, v in module.items() if not k.startswith("_") and not _is_code(v)}, text


def _is_code(value) -> bool:
    """Whether an import, a `def` or a `class` left this behind."""
    return isinstance(value, (ModuleType, type)) or callable(value)


def plain(value):
    """A value as one of Python's plain types where it is one in disguise: a path, a number of NumPy."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    shape, item = getattr(value, "shape", None), getattr(value, "item", None)
    return item() if shape == () and callable(item) else value


@functools.cache
def warn(text: str) -> None:
    """Prints a warning, once."""
    print(f"Warning: {text}", file=sys.stderr)


def _chosen(given: dict, known: dict, path: Path) -> dict:
    """The values of an experiment file that are parameters; the others are its own helper variables.

    Raises:
        UserError: a parameter has a value that is none, such as a list.
    """
    chosen = {}
    for name, value in given.items():
        value = plain(value)
        if name in known:
            if not isinstance(value, (bool, int, float, str, type(None))):
                raise UserError(f"{path}: {name}={value!r} is of type {type(value).__name__}; give a "
                                f"{known[name].type.__name__}")
            chosen[name] = value
        elif difflib.get_close_matches(name.lower(), [k.lower() for k in known], 1, 0.8):
            warn(f"{path}: '{name}' is no parameter and is left aside{nearest(name, known)}")
    return chosen


def declared(system: str) -> dict[str, Parameter]:
    """Parameter name -> declaration, the common ones first.

    Raises:
        UserError: there is no such system.
    """
    known = registry.parameters()
    if system not in known:
        raise UserError(f"unknown system '{system}'{nearest(system, known)}; there are "
                        f"{', '.join(sorted(known))}")
    return {p.name: p for p in (*COMMON, *known[system])}


def load(name: str, overrides: dict | None = None, system: str | None = None) -> Parameters:
    """The parameters of an experiment.

    Args:
        name: experiment name, or the path of an experiment file.
        overrides: parameter name -> text from the command line.
        system: use this system whatever the file says (`baseline_train.py` does).

    Raises:
        UserError: unknown experiment, unknown parameter (with the nearest valid one), ill-typed value.
    """
    overrides = dict(overrides or {})
    path = find(name)
    name = path.stem
    given, text = read(path)
    system = system or overrides.pop("system", None) or str(given.get("system", "rpgan"))
    known = declared(system)
    given = _chosen(given, known, path)
    values = {p.name: p.default for p in known.values()}
    sources = dict.fromkeys(values, "default")
    for origin, where, items in (("experiment", str(path), given),
                                 ("command line", "command line", overrides)):
        for key, value in items.items():
            if key not in known:
                raise UserError(f"{where}: unknown parameter '{key}' of system {system}"
                                f"{nearest(key, known)}; --help lists them")
            values[key] = known[key].convert(value, where)
            sources[key] = origin
    values["system"] = system
    home = next((values[p.name] for p in known.values() if p.home and values[p.name]), "")
    for key, folder in (("wts_dir", "models"), ("log_dir", "logs")):
        values[key] = values[key] or (os.path.join(home, folder) if home else f"{folder}/{name}")
        if values["tag"] and sources[key] != "command line":
            values[key] = f"{values[key].rstrip('/')}-{values['tag']}"
    return Parameters(name, values, sources, known, text)
