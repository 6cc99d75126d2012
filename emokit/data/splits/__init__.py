"""Train, dev and test splits: policies, folds and lists from files."""
