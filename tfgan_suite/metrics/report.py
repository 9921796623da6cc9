"""Where results go: a table, `metrics.jsonl`, TensorBoard."""
from __future__ import annotations

from tfgan_suite.experiment import Parameters


def protocol(evaluation, iteration) -> dict:
    """How a result was made: everything that must be equal for two results to be compared."""
    return {**evaluation.samples.protocol, "splits": evaluation.splits, "iteration": iteration,
            **evaluation.protocol}


def table(title: str, results: dict, protocol: dict) -> str:
    """A title, the protocol on one line, and a metric a line."""
    width = max([len(name) for name in results] + [6])
    how = ", ".join(f"{k} {v}" for k, v in protocol.items() if v is not None)
    rows = [f"{name:<{width}}  {value:>14.6g}" for name, value in results.items()]
    return "\n".join([title, how, f"{'metric':<{width}}  {'value':>14}", *rows])


def record(params: Parameters, results: dict, protocol: dict) -> None:
    """One line of `metrics.jsonl` and a TensorBoard scalar per result, in the log folder of the run.

    Raises:
        UserError: the log folder cannot be written.
    """
    from tfgan_suite.training import logs

    logs.append(params.log_dir, protocol.get("iteration"), results, {"protocol": protocol})
