"""Predictions of several models combined: calibrated, weighted, searched, with intervals."""
