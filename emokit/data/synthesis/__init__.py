"""Synthesised speech and invented texts, in the layouts of the real corpora."""
