"""Comparison of runs on the same utterances."""
