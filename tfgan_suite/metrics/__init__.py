"""Scores of samples: the 2015 Inception graph, the digits classifier, distances. `tools/evaluate.py` is the
command.

A metric is a registered function (`registry.metric`); a system may bring its own by a method `metrics()`.
"""
