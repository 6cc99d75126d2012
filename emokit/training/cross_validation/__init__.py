"""One run per fold, pooled into one run folder."""
