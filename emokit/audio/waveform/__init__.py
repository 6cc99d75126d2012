"""Pretrained speech encoders on waveforms."""
