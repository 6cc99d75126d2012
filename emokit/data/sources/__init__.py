"""Readers of the sources of utterances."""
