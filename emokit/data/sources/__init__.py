"""Where utterances come from: corpora on disk."""
