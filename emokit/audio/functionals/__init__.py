"""Functionals of log-mel spectrograms with logistic regression."""
