"""Emotion from speech: settings, features, model, training and prediction."""
