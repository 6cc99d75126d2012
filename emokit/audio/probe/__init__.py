"""Probes: logistic regression on the layers of a frozen speech encoder."""
