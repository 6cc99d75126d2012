"""The training loop, its settings, its checkpoints, and what modalities share around it."""
