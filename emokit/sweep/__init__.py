"""Hyperparameter sweeps with Optuna: a search space in YAML, several workers on one or more machines, resumable."""
