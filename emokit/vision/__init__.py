"""Emotion from faces: frames of a clip, a pretrained face network, a prediction per clip."""
