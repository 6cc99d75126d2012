"""Audio files to waveforms and features, in parallel processes."""
