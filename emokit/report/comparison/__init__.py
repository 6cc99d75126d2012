"""Runs ranked and compared on the same utterances."""
