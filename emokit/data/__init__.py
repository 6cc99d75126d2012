"""From corpora on disk to a checked table of utterances and their features."""
