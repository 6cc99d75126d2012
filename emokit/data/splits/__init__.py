"""Train, dev and test: policies, folds and lists."""
