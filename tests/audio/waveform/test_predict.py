"""Probabilities from waveforms: batches do not change them, and the windows of a long recording are averaged."""

import numpy
import pytest
import torch

from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.predict import embed_waveform, predict_waveforms, predict_windows
from emokit.audio.waveform.pretrained import pretrained
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS
from tests.audio.conftest import KINDS, write_encoder

RANDOM = numpy.random.default_rng(0)
SHORT, LONG, LONGER = (RANDOM.normal(0, 0.1, length).astype(numpy.float32) for length in (5000, 12_345, 20_000))


def new_model(folder, window_seconds=2.0):
    values = {"model": {"name": str(folder)}, "data": {"window_seconds": window_seconds}}
    return pretrained(AudioSettings.make(values), DEFAULT_LABELS).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_waveform_alone_and_with_longer_ones_has_the_same_probabilities(encoder_of, kind):
    model = new_model(encoder_of(kind))
    alone = numpy.concatenate([predict_waveforms(model, [waveform]) for waveform in (SHORT, LONGER)])
    assert numpy.abs(predict_waveforms(model, [SHORT, LONGER]) - alone).max() <= 1e-5


def test_an_encoder_without_a_mask_gets_batches_without_padding(tmp_path):
    model = new_model(write_encoder("wav2vec2-conformer", tmp_path))
    waveforms = [LONGER, SHORT, LONG, SHORT[::-1]]
    alone = numpy.concatenate([predict_waveforms(model, [waveform]) for waveform in waveforms])
    assert numpy.abs(predict_waveforms(model, waveforms) - alone).max() <= 1e-6


def test_the_windows_of_a_long_recording_are_averaged(encoder_of):
    model = new_model(encoder_of("wav2vec2"), window_seconds=0.75)
    spans, by_window = predict_windows(model, [LONGER, SHORT])
    assert spans == [(0, 0, 12_000), (0, 8_000, 20_000), (1, 0, 5_000)]
    expected = numpy.stack([by_window[:2].mean(axis=0), by_window[2]])
    assert predict_waveforms(model, [LONGER, SHORT]) == pytest.approx(expected)
    assert by_window[1] == pytest.approx(predict_waveforms(model, [LONGER[8_000:]])[0], abs=1e-5)


def test_no_utterance_is_refused(encoder_of):
    with pytest.raises(DataError) as error:
        predict_waveforms(new_model(encoder_of("wav2vec2")), [])
    assert str(error.value) == "There is no utterance to predict; name at least one."


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_through_the_head_gives_the_probabilities(encoder_of, kind):
    model = new_model(encoder_of(kind))
    vectors = embed_waveform(model, SHORT, 1)
    assert vectors.shape == (1, 16)
    with torch.inference_mode():
        probabilities = model.head(torch.from_numpy(vectors)).softmax(dim=1).numpy()
    assert probabilities == pytest.approx(predict_waveforms(model, [SHORT]), abs=1e-6)


def test_steps_are_the_frames_of_all_windows_averaged(encoder_of):
    model = new_model(encoder_of("wav2vec2"), window_seconds=0.75)
    every = embed_waveform(model, LONGER, 64)
    assert embed_waveform(model, LONGER, 1)[0] == pytest.approx(
        embed_waveform(model, LONGER, 10_000).mean(axis=0), abs=1e-6
    )
    assert every.shape == (64, 16)
    with pytest.raises(AssertionError):
        numpy.testing.assert_allclose(every[0], every[-1], atol=1e-3)
