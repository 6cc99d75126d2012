"""Modalities: the protocol, what a loaded model takes and returns, and the registry."""
