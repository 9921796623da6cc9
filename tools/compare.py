#!/usr/bin/env python3
"""Compares experiments, or settings of one, over seeds and within one budget, and writes a report."""
import sys
from pathlib import Path

from evaluate import OPTIONS as EVALUATION

from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """tools/compare.py NAME... [--vary NAME=a,b,c ...] [--seeds=3] [--budget=5m] [--name=value ...]

Trains every experiment with every combination of the varied settings and every seed, each as an ordinary
run in a folder of its own, scores them and writes results.json, results.csv, hparams/ (for TensorBoard) and
report.html (one file to look at or to send).
  --vary penalty=none,js,js+r1      may be given several times; '+' stands for a comma within a value
  --vary "rate=[slow lr_g=1e-4 lr_d=1e-4],[fast lr_g=1e-3 lr_d=1e-3]"    values that belong together
  --pairs                           the first values and single changes of them, not the whole grid
  --budget=5m | 5000it | 200kimg    minutes of training, iterations, thousands of real images
Without a budget each experiment has its own length. The first variant is the baseline, unless --baseline
names another one. Ctrl-C saves and stops; the same command goes on. A run that diverges or fails is a result;
--retry runs it again."""

_SHARED = ("splits", "batch", "reals", "graph", "graph_sha256", "download")
OPTIONS = (
    Parameter("pairs", False, "one change at a time in place of the whole grid"),
    Parameter("seeds", "3", "how many seeds (from 0), or the seeds themselves, separated by commas"),
    Parameter("budget", "", "of each run: 5m, 5000it or 200kimg"),
    Parameter("out", "", "folder of everything (default: compare/NAME of the first experiment)"),
    Parameter("baseline", "", "name of the variant that the others are compared with (default: the first)"),
    Parameter("jobs", 1, "runs trained at a time, each with its share of the cores", minimum=1),
    Parameter("dry-run", False, "print the plan and the estimated time, train nothing"),
    Parameter("retry", False, "run again what diverged or failed"),
    Parameter("report", False, "train nothing: score and report what is there"),
    Parameter("metrics", "", "as in tools/evaluate.py (default: those of each experiment)"),
    Parameter("rank", "",
              "the score that ranks (default: the first of digits_is_ratio, FID, IS that there is)"),
    Parameter("show", "",
              "further scores, separated by commas; also scalars of the training, such as L/saturated: mean "
              "of the last quarter"),
    Parameter("page", "", "Markdown file into which the command, one table and one picture are put"),
    Parameter("columns", "", "what is varied along the columns of that table (default: a row a variant)"),
    Parameter("picture", "samples", "what the page shows", choices=("samples", "curves")),
    Parameter("n", 2000, "samples of an evaluation", minimum=10),
    Parameter("points", 6, "checkpoints of a run that are scored, at most", minimum=1),
    *(option for option in EVALUATION if option.name in _SHARED),
)


def protocol_of(options: dict):
    """How the runs are scored."""
    from tfgan_suite.compare.scoring import Protocol

    names = tuple(word for word in options["metrics"].split(",") if word)
    return Protocol(names, options["n"], options["points"], {name: options[name] for name in _SHARED})


def dry_run(made, jobs: int, call) -> None:
    """Prints the plan and how long it will take."""
    from tfgan_suite.compare import plan

    print(made.text(), flush=True)
    if made.budget.seconds is not None:
        total = made.budget.seconds * len(made.runs)
    else:
        print("measuring some iterations of each variant ...", flush=True)
        first = made.runs[:len(made.variants)]
        each = call(plan.estimate, [(run.variant.experiment, run.overrides) for run in first])
        for run, seconds in zip(first, each):
            said = "does not build" if seconds is None else f"about {seconds / 60:.1f} minutes a run"
            print(f"  {run.variant.name}: {said}")
        total = sum(seconds or 0.0 for seconds in each) * len(made.seeds)
    print(f"about {total / 60 / jobs:.0f} minutes of training, {jobs} at a time; starting and scoring come "
          f"on top")


def report(made, options: dict, argv: list) -> Path:
    """Scores what was trained and writes the results."""
    from tfgan_suite.compare import report as page
    from tfgan_suite.compare import results, scoring, section, state

    protocol, shared, known = protocol_of(options), {}, []
    for run in made.runs:
        about = state.read(run)
        scores = scoring.score(run, about, protocol, shared) if about.segments else None
        if scores:
            last = scores["points"][-1]
            print(f"scored {run.variant.name}, seed {run.seed}, iteration {last['iteration']}", flush=True)
        known.append((run, about, scores))
    if not any(scores for _, _, scores in known):
        raise UserError(f"{made.out}: no run has left a checkpoint to score; see errors.log in the folders "
                        f"under {made.out}/runs")
    shown = tuple(word for word in options["show"].split(",") if word)
    command = tuple(word for word in argv if word != "--report")  # what trained, not what only looked
    comparison = results.compare(made, known, protocol.key(), options["rank"], command, shown)
    results.write_json(made.out / "results.json", comparison)
    results.write_csv(made.out / "results.csv", comparison)
    results.write_hparams(made.out / "hparams", comparison)
    page.write(made.out / "report.html", comparison)
    if options["page"]:
        section.write(Path(options["page"]), made.out.name, comparison, options["columns"], shown,
                      options["picture"])
        print(f"Wrote {options['page']}, section {made.out.name}")
    return made.out / "report.html"


def planned(names: list, texts: list, options: dict, overrides: dict):
    """The plan, if it can be carried out; None if it was only to be shown.

    Raises:
        UserError: it cannot be.
    """
    from tfgan_suite.compare import plan, scoring

    axes = plan.axes(texts)
    chosen = plan.variants(names, axes, options["pairs"])
    if options["columns"] and options["columns"] not in axes:
        raise UserError(f"--columns={options['columns']}: is not varied; there are "
                        f"{', '.join(axes) or 'experiments only'}")
    out = Path(options["out"] or f"compare/{plan.safe(Path(names[0]).stem)}")
    numbers, budget = plan.seeds(options["seeds"]), plan.Budget.parse(options["budget"])
    with plan.apart() as call:
        made = plan.make(chosen, overrides, numbers, budget, out, call, options["baseline"])
        if options["dry-run"]:
            dry_run(made, options["jobs"], call)
            return None
        asked = sorted({(run.variant.experiment, run.params.system) for run in made.runs})
        problem = call(scoring.problem, asked, protocol_of(options))
    if problem:
        raise UserError(problem)
    return made


def main(argv):
    from tfgan_suite.compare import plan, running, state

    rest, texts = plan.take_vary(argv)
    names, options, overrides = cli.parse(rest, USAGE, OPTIONS, most=None)
    made = planned(names, texts, options, overrides)
    if made is None:
        return
    with state.locked(made.out, "another comparison"):
        print(made.text().split("\ncommands:")[0], flush=True)
        if not options["report"] and not running.train(made, options["jobs"], options["retry"]):
            print("Stopped; the same command goes on; with --report it shows what there is", flush=True)
            sys.exit(130)
        print(f"Wrote {report(made, options, argv)}")


if __name__ == "__main__":
    cli.main(main)
