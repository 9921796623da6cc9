"""What is compared: experiments times settings times seeds, each an ordinary run. No TensorFlow here."""
from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import re
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters, whole

UNITS = {"m": "minutes", "it": "iterations", "kimg": "thousand images"}
OWN = ("seed", "wts_dir", "log_dir")  # parameters that compare sets itself


@dataclass(frozen=True)
class Budget:
    """How long each run trains.

    Attributes:
        amount: of the unit.
        unit: 'm' (minutes of training), 'it' (iterations), 'kimg' (thousands of real images); '' for each
            run's own length.
    """

    amount: float = 0.0
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> Budget:
        """'5m', '5000it', '200kimg', or '' for the experiments' own lengths.

        Raises:
            UserError: something else.
        """
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|it|kimg)", text.strip())
        if text and (not found or float(found[1]) <= 0):
            raise UserError(f"--budget={text}: give minutes, iterations or thousands of images, such as "
                            f"5m, 5000it, 200kimg")
        return cls(float(found[1]), found[2]) if found else cls()

    @property
    def seconds(self) -> float | None:
        """The time of a run, or None where it ends otherwise."""
        return self.amount * 60 if self.unit == "m" else None

    def __str__(self):
        return f"{self.amount:g} {UNITS[self.unit]}" if self.unit else "the experiments' own lengths"


@dataclass(frozen=True)
class Variant:
    """One of the compared things.

    Attributes:
        experiment: its name.
        settings: what is varied -> value or title of a bundle (text), in pairs.
        name: how it is called in tables; unique in a plan.
        values: parameter -> value (text), in pairs: the settings with their bundles opened.
    """

    experiment: str
    settings: tuple
    name: str
    values: tuple

    @property
    def folder(self) -> str:
        """A folder name that says the same."""
        return safe(self.name)


@dataclass(frozen=True)
class Run:
    """One training: a variant with a seed.

    Attributes:
        folder: holds `models`, `logs`, what the run said, and its state.
        overrides: parameter -> text, everything that its command line says.
        params: the resolved parameters.
        budget: seconds of training after which it is stopped; None: it ends by itself.
        iterations: how many it will have, where that is known beforehand.
    """

    variant: Variant
    seed: int
    folder: Path
    overrides: dict
    params: Parameters
    budget: float | None
    iterations: int | None = None

    @property
    def words(self) -> list[str]:
        """Arguments of train.py."""
        return [self.variant.experiment, *(f"--{name}={value}" for name, value in self.overrides.items())]

    @property
    def command(self) -> str:
        """The command line, to copy."""
        return shlex.join(["./train.py", *self.words])


@dataclass(frozen=True)
class Plan:
    """All runs, those of the first seed first: one that is stopped early has compared all variants."""

    variants: tuple
    seeds: tuple
    budget: Budget
    out: Path
    runs: tuple
    baseline: Variant

    def text(self) -> str:
        """The plan as a table."""
        lines = [f"{len(self.variants)} variants x {len(self.seeds)} seeds = {len(self.runs)} runs of "
                 f"{self.budget}, in {self.out}"]
        for number, variant in enumerate(self.variants, 1):
            mark = "  (baseline)" if variant == self.baseline else ""
            lines.append(f"  {number:3d}  {variant.name}{mark}")
        return "\n".join([*lines, "commands:", *(f"  {run.command}" for run in self.runs)])


def safe(text: str) -> str:
    """A file name: letters, digits and `._=+-,`; what is cut off or replaced lives on in a hash."""
    name = re.sub(r"[^\w.=+,-]", "_", text.replace(" ", ","))
    if len(name) <= 100 and name == text.replace(" ", ","):
        return name
    return f"{name[:90]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def take_vary(argv: list[str]) -> tuple[list[str], list[str]]:
    """Splits `--vary X` and `--vary=X`, of which there may be several, from the other words.

    Returns:
        (the other words, every X).

    Raises:
        UserError: a `--vary` at the end.
    """
    rest, found, words = [], [], iter(argv)
    for word in words:
        if word == "--vary":
            value = next(words, None)
            if value is None:
                raise UserError("--vary: give NAME=a,b,c")
            found.append(value)
        elif word.startswith("--vary="):
            found.append(word.split("=", 1)[1])
        else:
            rest.append(word)
    return rest, found


BUNDLE = re.compile(r"\[([^\[\]=\s,]+)((?:\s+[^\[\]=\s]+=[^\[\]\s]*)*)\]")


def axes(texts: list[str]) -> dict[str, dict[str, tuple]]:
    """What is varied -> title of a value -> pairs (parameter, value).

    'penalty=none,js+r1' varies a parameter: {'penalty': {'none': (('penalty', 'none'),), ...}}. In
    'rate=[slow lr_g=1e-4 lr_d=1e-4],[fast lr_g=1e-3]' a value is a bundle, and 'rate' only a title.

    Raises:
        UserError: no such form, a parameter or a value twice, or a parameter that compare sets itself.
    """
    found: dict[str, dict[str, tuple]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        made = _bundles(values) if values.startswith("[") else [(v, ((name, v),)) for v in values.split(",")]
        if not (equals and name and values and made):
            raise UserError(f"--vary {text}: give NAME=a,b,c, or NAME=[a x=1 y=2],[b x=3 y=4]")
        varied = {n for _, pairs in made for n, _ in pairs}
        for own in sorted(varied & set(OWN)):
            raise UserError(f"--vary {text}: {own} differs between the runs anyway; use --seeds and --out")
        before = {n for axis in found.values() for pairs in axis.values() for n, _ in pairs}
        if name in found or varied & before:
            raise UserError(f"--vary {text}: a parameter is given twice")
        if len(dict(made)) < len(made):
            raise UserError(f"--vary {text}: a value is given twice")
        found[name] = dict(made)
    return found


def _bundles(text: str) -> list[tuple[str, tuple]]:
    """'[a x=1],[b]' -> [('a', (('x', '1'),)), ('b', ())]; [] where it has another form."""
    found = BUNDLE.findall(text) if re.fullmatch(rf"(?:{BUNDLE.pattern},)*{BUNDLE.pattern}", text) else []
    return [(title, tuple(tuple(word.split("=", 1)) for word in pairs.split())) for title, pairs in found]


def combinations(found: dict[str, dict[str, tuple]], pairs: bool) -> list[tuple]:
    """All combinations of the values, or (`pairs`) the first values and every single change of them.

    Returns:
        Tuples of (name of what is varied, title of the value); the first has all first values.
    """
    if not pairs:
        return [tuple(zip(found, titles)) for titles in itertools.product(*found.values())]
    base = {name: next(iter(values)) for name, values in found.items()}
    changed = [{**base, name: title} for name, values in found.items() for title in list(values)[1:]]
    return [tuple(one.items()) for one in [base, *changed]]


def variants(names: list[str], found: dict[str, dict[str, tuple]], pairs: bool = False) -> list[Variant]:
    """Every experiment with every combination of settings.

    Raises:
        UserError: an experiment is named twice, or there is nothing to compare.
    """
    if len(set(names)) < len(names):
        raise UserError(f"{' '.join(names)}: an experiment is named twice; vary its settings with --vary "
                        f"NAME=a,b")
    made = []
    for name, settings in itertools.product(names, combinations(found, pairs)):
        title = " ".join([experiment.find(name).stem, *(f"{n}={v}" for n, v in settings)])
        made.append(Variant(name, settings, title, tuple(p for n, v in settings for p in found[n][v])))
    if len(made) < 2:
        raise UserError("there is nothing to compare: name several experiments, or give --vary NAME=a,b")
    return made


LARGEST_SEED, MOST_SEEDS = 2**31 - 1, 10_000


def seeds(text: str) -> tuple[int, ...]:
    """'3' -> (0, 1, 2); '4,7' -> (4, 7).

    Raises:
        UserError: no whole numbers, or one twice.
    """
    words = text.split(",")
    numbers = [number for number in map(whole, words) if number is not None]
    wrong = len(numbers) < len(words) or len(set(numbers)) < len(numbers) or max(numbers) > LARGEST_SEED
    if wrong or (len(numbers) == 1 and not 0 < numbers[0] <= MOST_SEEDS):
        raise UserError(f"--seeds={text}: give how many, such as 3, or the seeds themselves, such as 4,7,9")
    return tuple(range(numbers[0])) if len(numbers) == 1 else tuple(numbers)


def resolve(name: str, overrides: dict) -> tuple[Parameters, dict]:
    """The parameters of a run, and the overrides with '+' as ',' in the values of text parameters.

    Raises:
        UserError: unknown parameter or value.
    """
    system = overrides.get("system") or experiment.read(experiment.find(name))[0].get("system", "rpgan")
    known = experiment.declared(system)
    spelled = {n: v.replace("+", ",") if n in known and known[n].type is str and n not in OWN else v
               for n, v in overrides.items()}
    return experiment.load(name, spelled), spelled


def length(name: str, overrides: dict, budget: Budget) -> tuple[dict[str, str], int | None]:
    """What makes a run of this experiment as long as a budget that is no time; imports TensorFlow.

    Returns:
        (overrides, iterations of the run where they are known).

    Raises:
        UserError: the system does not count iterations in a parameter.
    """
    from tfgan_suite import registry

    params = experiment.load(name, overrides)
    kind = registry.system_class(params.system)
    if not budget.unit:
        return {}, int(params.values[kind.length[0]]) if kind.length_in_iterations else None
    if not kind.length_in_iterations:
        raise UserError(f"--budget: the length of a run of system {params.system} ({', '.join(kind.length)}) "
                        f"is no number of iterations; give minutes, such as --budget=5m")
    iterations = int(budget.amount)
    if budget.unit == "kimg":
        iterations = _iterations_showing(params, int(budget.amount * 1000))
    return {kind.length[0]: str(iterations)}, iterations


def _iterations_showing(params: Parameters, images: int) -> int:
    """The least number of iterations that show so many real images."""
    from tfgan_suite.training import runs

    system, low, high = runs.build(params, training=False), 0, 1
    while system.images_shown(high) < images:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if system.images_shown(middle) >= images else (middle, high)
    return high


@contextlib.contextmanager
def apart() -> Iterator[Callable]:
    """A function `call(function, *arguments)` that works in another process, which ends with the context.

    TensorFlow takes all memory of a GPU for its process; the runs will need it.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


def lengths(asked: list, budget: Budget) -> list[tuple | UserError]:
    """`length` for each (name, overrides); an error takes the place of its answer."""
    answers: list[tuple | UserError] = []
    for name, overrides in asked:
        try:
            answers.append(length(name, overrides, budget))
        except UserError as error:
            answers.append(error)
    return answers


def make(chosen: list[Variant], overrides: dict, numbers: tuple, budget: Budget, out: Path, call: Callable,
         baseline: str = "") -> Plan:
    """The plan.

    Args:
        chosen: the variants.
        overrides: of all runs, from the command line.
        numbers: the seeds.
        call: calls a function, in another process (`apart`); a budget of minutes does not need it.
        baseline: name of the variant that the others are compared with; by default the first.

    Raises:
        UserError: a parameter or a value is unknown, a parameter is varied and given, no such baseline.
    """
    names = [variant.name for variant in chosen]
    if baseline and baseline not in names:
        raise UserError(f"--baseline={baseline}: no such variant{experiment.nearest(baseline, names)}; "
                        f"there are: {'; '.join(names)}")
    for name in overrides:
        if name in OWN or any(name == n for v in chosen for n, _ in v.values):
            raise UserError(f"--{name}: compare sets it itself; use --seeds, --out or --vary")
    settled = [resolve(v.experiment, {**overrides, **dict(v.values)})[1] for v in chosen]
    ends: list[int | None] = [None] * len(chosen)
    if budget.unit != "m":
        answers = call(lengths, [(v.experiment, given) for v, given in zip(chosen, settled)], budget)
        for i, answer in enumerate(answers):
            if isinstance(answer, UserError):
                raise answer
            settled[i].update(answer[0])
            ends[i] = answer[1]
    runs = [_run(variant, given, seed, budget, out, end) for seed in numbers
            for variant, given, end in zip(chosen, settled, ends)]
    return Plan(tuple(chosen), tuple(numbers), budget, out, tuple(runs),
                chosen[names.index(baseline) if baseline else 0])


def _run(variant: Variant, given: dict, seed: int, budget: Budget, out: Path, end: int | None) -> Run:
    folder = out / "runs" / variant.folder / f"seed{seed}"
    overrides = {**given, "seed": str(seed), "wts_dir": str(folder / "models"),
                 "log_dir": str(folder / "logs")}
    params = experiment.load(variant.experiment, overrides)
    return Run(variant, seed, folder, overrides, params, budget.seconds, end)


def estimate(asked: list, iterations: int = 5) -> list[float | None]:
    """Seconds that the whole run takes, measured on its first iterations; None where it does not build.

    Args:
        asked: (experiment, overrides) of runs.
        iterations: measured, after one that is traced.
    """
    answers: list[float | None] = []
    for name, overrides in asked:
        try:
            answers.append(_measure(experiment.load(name, overrides), iterations))
        except UserError as error:
            print(f"  {name}: {error}", flush=True)
            answers.append(None)
    return answers


def _measure(params: Parameters, count: int) -> float:
    import tempfile
    import time

    import tensorflow as tf

    from tfgan_suite.training.feed import Feed
    from tfgan_suite.training.trainer import Trainer

    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(params.replace(wts_dir=f"{scratch}/models", log_dir=f"{scratch}/logs"))
        system = trainer.system
        feed = Feed(system, system.source(), trainer.strategy, 0, count + 1)
        try:
            for step in range(count + 1):
                if step == 1:
                    begun = time.monotonic()
                scalars = trainer.function(system.phase(step))(tf.constant(step, tf.int64), feed.get(step))
                [value.numpy() for value in scalars.values()]
        finally:
            feed.close()
        return (time.monotonic() - begun) / count * system.iterations
