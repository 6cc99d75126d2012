"""One corpus, one file, its story on top."""
