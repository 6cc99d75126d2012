"""A small ACRNN with random weights."""

import pytest
import torch

from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification

SMALL = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}


def new_model(**overrides):
    """Make it; `overrides` goes into its config."""
    torch.manual_seed(0)
    config = AcrnnConfig(
        n_mels=32,
        channels=(4, 8),
        lstm_hidden_size=8,
        num_attention_heads=2,
        classifier_hidden_size=8,
        window_frames=40,
        features=SMALL,
        num_labels=7,
        **overrides,
    )
    return AcrnnForAudioClassification(config).eval()


@pytest.fixture(scope="module")
def small_acrnn():
    """The model, the same for the tests of a file."""
    return new_model()
