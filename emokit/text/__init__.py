"""The text modality: settings, tokens, models, training and prediction."""
