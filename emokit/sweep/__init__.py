"""Sweeps: a space of settings searched with Optuna, by any number of workers, nothing lost and nothing done twice."""
