"""Where results go: a table, `metrics.jsonl`, TensorBoard."""
from __future__ import annotations

from tfgan_suite.experiment import Parameters

WIDTH = 24  # of the names


def protocol(evaluation, iteration) -> dict:
    """How a result was made: everything that must be equal for two results to be compared."""
    return {**evaluation.samples.protocol, "splits": evaluation.splits, "iteration": iteration,
            **evaluation.protocol}


def head(title: str) -> str:
    """The first lines of the table: a title, and what the columns are."""
    return f"{title}\n{'metric':<{WIDTH}}  {'value':>14}"


def rows(results: dict) -> str:
    """A line for each result."""
    return "\n".join(f"{name:<{WIDTH}}  {value:>14.6g}" for name, value in results.items())


def foot(protocol: dict) -> str:
    """The protocol on one line."""
    return ", ".join(f"{k} {v}" for k, v in protocol.items() if v is not None)


def record(params: Parameters, results: dict, protocol: dict) -> None:
    """One line of `metrics.jsonl` and a TensorBoard scalar per result, in the log folder of the run.

    Raises:
        UserError: the log folder cannot be written.
    """
    from tfgan_suite.training import logs

    logs.append(params.log_dir, protocol.get("iteration"), results, {"protocol": protocol})
