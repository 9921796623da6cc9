"""Command lines of the verbs and tools. Nothing here imports TensorFlow."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter


def main(function: Callable[[list[str]], None]) -> None:
    """Runs a command: a user's mistake becomes one line on stderr and exit status 2, a missing package one line too."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    threads = os.environ.get("OMP_NUM_THREADS", "")  # TensorFlow's own pool does not look at it
    if threads.isdecimal():
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", threads)
    command = Path(sys.argv[0]).name
    try:
        function(sys.argv[1:])
        sys.stdout.flush()
    except UserError as error:
        print(f"{command}: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.status)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tfgan_suite"):
            raise
        print(f"{command}: package '{error.name}' is missing; run tools/demo (or 'pip install -r requirements.txt' in .venv) "
              f"and '. .venv/bin/activate'", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


class _Parser(argparse.ArgumentParser):
    """argparse whose errors are `UserError`s."""

    def error(self, message):
        raise UserError(f"{message}; --help shows the usage")


def _spelled_out(argv: list[str], declared: dict[str, Parameter]) -> list[str]:
    """The command line with `--flag`, `--noflag` and `--flag false` of booleans as `--flag=True` and `--flag=False`.

    So a boolean never takes the word behind it unless that is one like `true`: it may be the experiment, or an iteration.
    """
    switches = {f"--{name}": f"--{name}=True" for name, p in declared.items() if p.type is bool}
    offs = {f"--no{flag[2:]}": f"{flag}=False" for flag in switches}
    words = []
    for previous, word in zip(["", *argv], argv):
        if previous in switches and word.lower() in experiment.BOOLEANS and not word.isdigit():
            words[-1] = f"{previous}={word}"
        else:
            words.append(switches.get(word) or offs.get(word) or word)
    return words


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
    """Splits a command line into positional arguments, options of the command and overrides of the experiment.

    `--name=value`, `--name value`, `--flag`, `--noflag` and `--flag=false` are understood. `--list` prints the experiments
    and `--help` the usage (with the experiment's parameters, where one is named); both end the program.

    Args:
        usage: the command's help text; its first line is the synopsis.
        options: the command's own options (`Parameter`s).
        least, most: allowed number of positional arguments (`most` None: any).
        first_is_experiment: the first positional argument is an experiment (`NAME` or `NAME,...`), and its parameters can be
            overridden.
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
    values, rest = parser.parse_known_intermixed_args(_spelled_out(argv, declared))
    if rest:
        flag = rest[0].lstrip("-").split("=")[0]
        raise UserError(f"unknown option '--{flag}'{experiment.nearest(flag, declared)}; --help lists them")
    given = {k: v for k, v in vars(values).items() if k != "positionals"}
    count = len(values.positionals)
    if count < least or (most is not None and count > most):
        raise UserError(f"{count} arguments given; usage: {usage.splitlines()[0]}")
    chosen = {o.name: o.convert(given.pop(o.name), "command line") if o.name in given else o.default for o in options}
    return values.positionals, chosen, given


def _experiment_of(argv: list[str]) -> str:
    """The word of the command line that names the experiment; `--out x NAME` works too."""
    words, experiments = [a for a in argv if not a.startswith("-")], experiment.names()
    return next((w for w in words if w.split(",")[0] in experiments), words[0] if words else "")


def _system(argv: list[str], system: str | None) -> str | None:
    given = [a.split("=", 1)[1] for a in argv if a.startswith("--system=")]
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
    return "''" if value == "" else str(value)


def _help(usage: str, options: tuple, name: str, argv: list[str], system: str | None) -> None:
    overrides = dict(a[2:].split("=", 1) for a in argv if a.startswith("--") and "=" in a)
    own = {o.name for o in options}
    params = experiment.load(name.split(",")[0], {k: v for k, v in overrides.items() if k not in own}, _system(argv, system))
    print(_usage(usage, options))
    print(f"\nparameters of {params.name} (--name=value):")
    for parameter in params.declared.values():
        choices = f" [{', '.join(map(str, parameter.choices))}]" if parameter.choices else ""
        value = f"{parameter.name}={_shown(params.values[parameter.name])}"
        print(f"  --{value:38s} {params.sources[parameter.name]:12s} {parameter.help}{choices}")


def name_and_seed(text: str) -> tuple[str, int]:
    """`NAME[,SEED]`.

    Raises:
        UserError: the seed is not a whole number.
    """
    name, seed, rest = (*text.split(","), "", "")[:3]
    if rest or (seed and not seed.isdigit()):
        raise UserError(f"'{text}': give NAME or NAME,SEED with SEED a whole number")
    return name, int(seed or 0)


def name_seed_iteration(text: str) -> tuple[str, int, str | None]:
    """`NAME[,SEED[,ITERATION]]`.

    Raises:
        UserError: seed or iteration are not whole numbers.
    """
    words = text.split(",")
    if len(words) > 3 or not all(w.isdigit() for w in words[1:]):
        raise UserError(f"'{text}': give NAME, NAME,SEED or NAME,SEED,ITERATION with whole numbers")
    return words[0], int(words[1]) if len(words) > 1 else 0, words[2] if len(words) > 2 else None
