"""Adversarial losses, by name: plain functions of logits."""
