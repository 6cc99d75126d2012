"""Late fusion: weights over cached predictions, searched on dev."""
