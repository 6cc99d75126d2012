"""Log-mel spectrograms and the ACRNN."""
