"""What `tools/bench.py` measures: one module for each paper, with `run(options) -> rows`."""
