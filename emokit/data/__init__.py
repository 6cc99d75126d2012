"""From corpora on disk to one checked table of utterances and their features."""
