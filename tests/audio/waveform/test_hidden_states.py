"""Hidden states: those of transformers where it takes the same input, and the same alone as in a batch."""

import numpy
import pytest
import torch
from transformers import WhisperModel

from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.hidden_states import hidden_states, ignore_padding
from emokit.audio.waveform.pretrained import load_encoder
from tests.audio.conftest import KINDS

RANDOM = numpy.random.default_rng(0)
SHORT, LONG = (RANDOM.normal(0, 0.1, length).astype(numpy.float32) for length in (5_001, 20_000))


def encoder(folder):
    settings = AudioSettings.make({"model": {"name": str(folder), "kind": "probe"}, "data": {"window_seconds": 2.0}})
    loaded, processor = load_encoder(settings)
    return loaded.eval(), processor


def test_a_recording_of_whispers_full_length_has_the_states_of_transformers(encoder_of):
    loaded, processor = encoder(encoder_of("whisper"))
    features = processor([RANDOM.normal(0, 0.1, 32_000).astype(numpy.float32)])["input_features"]
    with torch.inference_mode():
        states, mask = hidden_states(loaded, input_features=features)
        expected = (
            WhisperModel.from_pretrained(encoder_of("whisper")).eval().encoder(features, output_hidden_states=True)
        )
    assert mask is None
    assert len(states) == len(expected.hidden_states) == 3
    for own, other in zip(states, expected.hidden_states, strict=True):
        assert torch.allclose(own, other, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_of_a_recording_is_the_same_alone_and_in_a_batch(encoder_of, kind):
    loaded, processor = encoder(encoder_of(kind))
    ignore_padding(loaded)
    with torch.inference_mode():
        together, mask = hidden_states(loaded, **processor([SHORT, LONG]))
        for row, waveform in enumerate([SHORT, LONG]):
            alone, own_mask = hidden_states(loaded, **processor([waveform]))
            assert own_mask is None or bool(own_mask.all())
            for layer, expected in zip(together, alone, strict=True):
                assert torch.allclose(layer[row][mask[row]], expected[0], atol=1e-5)
