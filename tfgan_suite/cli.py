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


def _add(parser: argparse.ArgumentParser, parameter: Parameter) -> None:
    if parameter.type is bool:
        parser.add_argument(f"--{parameter.name}", dest=parameter.name, nargs="?", const="True", default=None)
        parser.add_argument(f"--no{parameter.name}", dest=parameter.name, action="store_const", const="False")
    else:
        parser.add_argument(f"--{parameter.name}", dest=parameter.name, default=None)


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
    name = _experiment_of(argv)
    known: dict[str, Parameter] = {}
    if first_is_experiment and name:
        try:
            known = experiment.load(name.split(",")[0], system=_system(argv, system)).declared
        except UserError:
            if os.path.isdir(name):
                known = {}
            else:
                raise
    if any(a in ("-h", "--help") for a in argv):
        _help(usage, options, name, argv, system) if known else print(_usage(usage, options))
        sys.exit(0)
    parser = _Parser(add_help=False, allow_abbrev=False)
    declared = {**known, **{o.name: o for o in options}}
    for parameter in declared.values():
        _add(parser, parameter)
    parser.add_argument("positionals", nargs="*")
    values, rest = parser.parse_known_intermixed_args(argv)
    if rest:
        flag = rest[0].lstrip("-").split("=")[0]
        raise UserError(f"unknown option '--{flag}'{experiment._nearest(flag, declared)}; --help lists them")
    given = {k: v for k, v in vars(values).items() if v is not None and k != "positionals"}
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
        text = experiment.find(name).read_text().lstrip()
        title = text.split('"""')[1].strip().splitlines()[0] if text.startswith('"""') else ""
        print(f"{name:32s} {title}".rstrip())
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
