"""Figures: one module per kind, one shared style."""
