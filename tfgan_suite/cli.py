"""Command lines of the verbs and tools. Nothing here imports TensorFlow."""
from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tfgan_suite import experiment
from tfgan_suite.errors import UserError, one_line
from tfgan_suite.experiment import Parameter

# what word processors make of two hyphens
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
LARGEST_SEED = 2**31 - 1
SCALE = Parameter("scale", 1, "side of a pixel in the picture, to enlarge small images for the eye",
                  minimum=1, maximum=64)


def main(function: Callable[[list[str]], None]) -> None:
    """Runs a command: a user's mistake becomes one line on stderr and exit status 2, a missing package one
    line too.

    A reader of stdout that ends early (a pager, `head`) ends the command quietly with status 1.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "")  # TensorFlow's own pool does not look at it
    if experiment.whole(threads):
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", threads)
    _open_streams()
    command = Path(sys.argv[0]).name
    try:
        function(sys.argv[1:])
        sys.stdout.flush()
    except UserError as error:
        _say(command, str(error))
        sys.exit(error.status)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tfgan_suite"):
            raise
        _say(command,
             f"package '{error.name}' is missing; run tools/demo (or 'pip install -r requirements.txt' in "
             ".venv) and '. .venv/bin/activate'")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _drop(sys.stdout)
        sys.exit(1)
    except OSError as error:
        if not _is_of_stdout(error):
            raise
        _drop(sys.stdout)
        _say(command,
             f"cannot write to standard output: {error.strerror}; what was written to files is there")
        sys.exit(2)


def _open_streams() -> None:
    """Gives a command its streams (they may be closed), and lets them show names that are not of their
    encoding.

    All three numbers are taken first: a file of ours that got one of them would be written into by whatever
    libraries print.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (open as long as the process)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop(stream) -> None:
    """Lets a stream that nobody reads end in nothing, so that Python does not complain of it at exit."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: it is no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_of_stdout(error: OSError) -> bool:
    """Whether an error of the system was about stdout: a line more ends in the same one."""
    try:
        print(flush=True)
    except OSError as again:
        return again.errno == error.errno
    return False


def _say(command: str, text: str) -> None:
    """One line on stderr; nothing where that is gone too."""
    try:
        print(f"{command}: {one_line(text)}", file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


class _Parser(argparse.ArgumentParser):
    """argparse whose errors are `UserError`s."""

    def error(self, message):
        raise UserError(f"{message}; --help shows the usage")


def _spelled_out(argv: list[str], declared: dict[str, Parameter]) -> list[str]:
    """The command line with `--flag`, `--noflag` and `--flag false` of booleans as `--flag=True` and
    `--flag=False`.

    So a boolean never takes the word behind it unless that is one like `true`: it may be the experiment, or
    an iteration.
    """
    switches = {f"--{name}": f"--{name}=True" for name, p in declared.items() if p.type is bool}
    offs = {f"--no{flag[2:]}": f"{flag}=False" for flag in switches}
    words = []
    for previous, word in zip(["", *argv], argv):
        if previous in switches and word.lower() in experiment.BOOLEANS and experiment.whole(word) is None:
            words[-1] = f"{previous}={word}"
        else:
            words.append(switches.get(word) or offs.get(word) or word)
    return _joined(words, declared)


def _joined(words: list[str], declared: dict[str, Parameter]) -> list[str]:
    """`--name A B` as `--name=A B` for the options that take numbers in so many words."""
    several = {f"--{name}": p.words for name, p in declared.items() if p.words > 1}
    joined, i = [], 0
    while i < len(words):
        count = several.get(words[i], 1)
        values = words[i + 1:i + 1 + count]
        whole = count > 1 and len(values) == count and None not in map(experiment.whole, values)
        joined.append(f"{words[i]}={' '.join(values)}" if whole else words[i])
        i += 1 + (count if whole else 0)
    return joined


def _declared(argv: list[str], system: str | None) -> dict[str, Parameter]:
    """The parameters of the experiment that the command line names; none if it names a folder or nothing.

    Raises:
        UserError: there is no such experiment or system.
    """
    name = _experiment_of(argv)
    if not name or (name.split(",")[0] not in experiment.names() and os.path.isdir(name)):
        return {}
    return experiment.load(name.split(",")[0], system=_system(argv, system)).declared


def parse(argv: list[str], usage: str, options: tuple = (), least: int = 1, most: int | None = 1,
          first_is_experiment: bool = True, system: str | None = None):
    """Splits a command line into positional arguments, options of the command and overrides of the
    experiment.

    `--name=value`, `--name value`, `--flag`, `--noflag` and `--flag=false` are understood. `--list` prints
    the experiments and `--help` the usage (with the experiment's parameters, where one is named); both end
    the program.

    Args:
        usage: the command's help text; its first line is the synopsis.
        options: the command's own options (`Parameter`s).
        least, most: allowed number of positional arguments (`most` None: any).
        first_is_experiment: the first positional argument is an experiment (`NAME` or `NAME,...`), and its
            parameters can be overridden.
        system: the system to use whatever the experiment says.

    Returns:
        (positional arguments, {option: value}, {parameter: text}).

    Raises:
        UserError: unknown option (with the nearest valid one), wrong number of arguments.
    """
    if "--list" in argv and first_is_experiment:
        _list()
    known = _declared(argv, system) if first_is_experiment else {}
    if any(a in ("-h", "--help") for a in argv):
        _help(usage, options, _experiment_of(argv), argv, system) if known else print(_usage(usage, options))
        sys.exit(0)
    declared = {**known, **{o.name: o for o in options}}
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in declared:
        parser.add_argument(f"--{name}", dest=name, default=argparse.SUPPRESS)
    parser.add_argument("positionals", nargs="*")
    typographic = [word for word in argv if word[:1] and word[0] in _DASHES]
    if typographic:
        raise UserError(f"'{typographic[0]}': begins with a typographic dash; give "
                        f"--{typographic[0].lstrip(_DASHES + '-')}")
    values, rest = parser.parse_known_intermixed_args(_spelled_out(argv, declared))
    if rest:
        raise UserError(_unknown(rest[0], declared))
    given = {k: v for k, v in vars(values).items() if k != "positionals"}
    count = len(values.positionals)
    if count < least or (most is not None and count > most):
        raise UserError(f"{count} arguments given{_slip(argv, declared)}; usage: {usage.splitlines()[0]}")
    chosen = {o.name: o.convert(given.pop(o.name), "command line") if o.name in given else o.default
              for o in options}
    return [experiment.usable(word, "an argument", "command line")
            for word in values.positionals], chosen, given


def positional_of(argv: list[str], options: tuple) -> str:
    """The first word of a command line that is neither an option nor the value of one of `options`; '' if
    there is none."""
    known = {f"--{o.name}": o for o in options}
    before = [known.get(word) for word in ["", *_spelled_out(argv, {o.name: o for o in options})]]
    words = _spelled_out(argv, {o.name: o for o in options})
    return next((word for word, owner in zip(words, before) if not word.startswith("-") and owner is None),
                "")


def _plain(name: str) -> str:
    """A name without what people mistype: case, dashes, underscores."""
    return name.lower().replace("-", "").replace("_", "")


def _unknown(word: str, declared) -> str:
    """The message about a word that begins with a dash and is no option here."""
    dashes, name = word[:len(word) - len(word.lstrip("-"))], word.lstrip("-").split("=", 1)[0]
    alike = [other for other in declared if _plain(other) == _plain(name)]
    if alike and dashes != "--":
        value = word.lstrip("-")[len(name):]
        return f"'{word}': options begin with two dashes; give --{alike[0]}{value}"
    hint = f"; did you mean '--{alike[0]}'?" if alike else experiment.nearest(name, declared)
    return f"unknown option '{dashes}{name}'{hint}; --help lists them"


def _slip(argv: list[str], declared) -> str:
    """What may have made a word of the command line an argument by mistake, or ''."""
    for before, word in zip(["", *argv], argv):
        name = word.split("=", 1)[0]
        if word == "=" or before.endswith("=") or (before.startswith("--") and word.startswith("=")):
            return f"; '{word}' stands alone, write --name=value without spaces"
        if before.endswith(","):
            return f"; '{word}' stands alone, write lists without spaces, such as 4,2,1,3"
        if "=" in word and not word.startswith("-") and name in declared:
            return f"; '{word}' is no option, write --{word}"
    return ""


def _experiment_of(argv: list[str]) -> str:
    """The word of the command line that names the experiment; `--out x NAME` works too."""
    words, experiments = [a for a in argv if not a.startswith("-")], experiment.names()
    return next((w for w in words if w.split(",")[0] in experiments), words[0] if words else "")


def _system(argv: list[str], system: str | None) -> str | None:
    given = [word.split("=", 1)[1] if "=" in word else after for word, after in zip(argv, [*argv[1:], ""])
             if word.startswith("--system=") or word == "--system"]
    return system or (given[-1] if given else None)


def _list() -> None:
    for name in experiment.names():
        print(f"{name:32s} {experiment.title(name)}".rstrip())
    sys.exit(0)


def _usage(usage: str, options: tuple) -> str:
    lines = [usage.rstrip()]
    if options:
        lines += ["", "options:"] + [f"  --{o.name}={_shown(o.default)}  {o.help}" for o in options]
    return "\n".join(lines)


def _shown(value) -> str:
    """A value as it can be given; whole numbers without a point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "''" if value == "" else str(value)


def _help(usage: str, options: tuple, name: str, argv: list[str], system: str | None) -> None:
    overrides = dict(a[2:].split("=", 1) for a in argv if a.startswith("--") and "=" in a)
    own = {o.name for o in options}
    params = experiment.load(name.split(",")[0], {k: v for k, v in overrides.items() if k not in own},
                             _system(argv, system))
    print(_usage(usage, options))
    print(f"\nparameters of {params.name} (--name=value):")
    for parameter in params.declared.values():
        choices = f" [{', '.join(map(str, parameter.choices))}]" if parameter.choices else ""
        value = f"{parameter.name}={_shown(params.values[parameter.name])}"
        print(f"  --{value:38s} {params.sources[parameter.name]:12s} {parameter.help}{choices}")


def _seed(word: str, text: str) -> int:
    """A seed of the command line; '' stands for 0.

    Raises:
        UserError: not a whole number, or too large; `text` is the whole argument.
    """
    seed = experiment.whole(word or "0")
    if seed is None:
        raise UserError(f"'{text}': give SEED a whole number, such as NAME,7")
    if seed > LARGEST_SEED:
        raise UserError(f"'{text}': SEED is too large; the largest is {LARGEST_SEED}")
    return seed


def name_and_seed(text: str) -> tuple[str, int]:
    """`NAME[,SEED]`.

    Raises:
        UserError: the seed is not a whole number, or too large.
    """
    name, seed, rest = (*text.split(","), "", "")[:3]
    if rest:
        raise UserError(f"'{text}': give NAME or NAME,SEED with SEED a whole number")
    return name, _seed(seed, text)


def name_seed_iteration(text: str) -> tuple[str, int, str | None]:
    """`NAME[,SEED[,ITERATION]]`.

    Raises:
        UserError: seed or iteration are not whole numbers, or too large.
    """
    words = text.split(",")
    if len(words) > 3 or (len(words) > 2 and experiment.whole(words[2]) is None):
        raise UserError(f"'{text}': give NAME, NAME,SEED or NAME,SEED,ITERATION with whole numbers")
    return words[0], _seed(words[1] if len(words) > 1 else "", text), words[2] if len(words) > 2 else None
