"""Fusion of several modalities."""
