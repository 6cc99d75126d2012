"""Speech-like sounds and invented lines, and the on-disk layouts in which they look like the real corpora."""
