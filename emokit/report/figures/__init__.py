"""Figures: one file per kind, one shared style."""
