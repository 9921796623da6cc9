"""Keras layers that two systems share, or that are a paper's own idea."""
from tfgan_suite.layers.network import Network

__all__ = ["Network"]
