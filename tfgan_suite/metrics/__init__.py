"""Metrics: registered functions of generated images."""
