"""Scores during training, as the originals take them."""
from __future__ import annotations

from tfgan_suite.errors import UserError
from tfgan_suite.events import Event
from tfgan_suite.metrics import graph_file
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SystemSamples, score_bytes
from tfgan_suite.metrics.scores import count_name, inception_score, inception_score_new


def inception_event(system, every: int, n: int = 50000, *, batch: int = 100, splits: int = 10,
                    graph: str = "",
                    new: bool = False, to_uint8=score_bytes) -> Event:
    """The Inception Score of `n` samples after every `every` iterations, logged as `inception_50k` and
    `inception_50k_std`.

    As in SNGAN's original: batches of 100, labels uniform, pixels (x + 1) * (255.99 / 2) truncated, 10
    splits. Where the graph is not there, training goes on without scores, and a line says so the first time
    (`inception_check` says so at the start).

    Args:
        system: the system in training.
        every: iterations between scores (INCEPTION_FREQUENCY).
        n: number of samples.
        batch: samples per call of `generate`.
        splits: parts of the score.
        graph: path of the graph file; by default as `graph_file.find` looks for it.
        new: tf.contrib.gan's variant, which the original's scripts import, in place of the published one.
        to_uint8: from [-1, 1] to bytes.
    """
    score, shared, said = (inception_score_new if new else inception_score), {}, []
    name = f"inception_{count_name(n)}"

    def run(done: int, host) -> dict:
        samples = SystemSamples(system, n, done, batch, to_uint8)
        evaluation = Evaluation(samples, splits, done, system=system, options={"graph": graph},
                                shared=dict(shared),
                                say=host.line)
        try:
            mean, deviation = score(evaluation).values()
        except UserError as error:
            if not said:
                host.line(f"No inception scores: {error}")
            said.append(error)
            return {}
        shared.update(evaluation.next_shared())  # the graph serves all evaluations of a run
        return {name: mean, f"{name}_std": deviation}

    return Event(name, every, run)


def inception_check(every: int, graph: str = "") -> Event:
    """Says before the first iteration if the graph for `inception_event` is not there; it is looked for again
    each time."""
    def run(done: int, host) -> dict:
        try:
            graph_file.find(graph)
        except UserError as error:
            host.line(f"There will be no inception scores as long as this is so: {error}")
        return {}

    return Event("inception graph", every, run, due=lambda done: False, first=True)
