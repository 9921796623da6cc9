"""LIS: learning to avoid errors in GANs by manipulating input spaces (aleju/gan-error-avoidance, 2017)."""
