"""Gradient penalties and regularisers, by name: plain functions of tensors."""
