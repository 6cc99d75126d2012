"""Probes of text: logistic regression on the layers of a frozen text encoder."""
