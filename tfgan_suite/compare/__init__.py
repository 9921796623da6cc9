"""Comparing experiments: the plan of runs, running them, their scores and differences, the report."""
