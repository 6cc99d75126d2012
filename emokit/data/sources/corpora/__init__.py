"""Readers of corpora, one file per corpus; each file begins with a description of its corpus."""
