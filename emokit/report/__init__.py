"""One self-contained page about any number of runs."""
