"""Cross-validation: one run per fold, pooled into one run folder."""
