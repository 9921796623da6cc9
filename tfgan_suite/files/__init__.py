"""Formats and writing: the suite's `.npz`, torch's files, TensorFlow 1's checkpoints and event files, memory
limits."""
