"""The training machinery: the loop, its input, its logs, opening the results of a run, the dry run."""
