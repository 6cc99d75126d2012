"""Emotion from words: settings, features, model, training and prediction."""
