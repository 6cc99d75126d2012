"""Probabilities from log-mels: windows are averaged, and an utterance alone equals the utterance in a batch."""

import numpy
import pytest
import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.predict import predict_log_mels, predict_windows, window_batches
from emokit.engines.by_torch import TorchEngine
from emokit.errors import DataError

CPU, BATCH_WINDOWS = torch.device("cpu"), 16


class FirstBin(torch.nn.Module):
    """Logits that are the first frame's first seven bins, so that the mean over windows can be computed by hand."""

    def forward(self, input_features):
        return SequenceClassifierOutput(logits=input_features[:, 0, :7])


def test_the_windows_of_a_long_utterance_are_averaged():
    log_mel = numpy.zeros((20, 8), numpy.float32)
    log_mel[0, 0] = log_mel[10, 1] = numpy.log(8)  # two windows: one predicts the first class, one the second
    probabilities = predict_log_mels(TorchEngine(FirstBin(), CPU), [log_mel], 10)
    high, low = 8 / 14, 1 / 14
    assert probabilities[0].tolist() == pytest.approx([(high + low) / 2] * 2 + [low] * 5)
    places, by_window = predict_windows(TorchEngine(FirstBin(), CPU), [log_mel], 10)
    assert places == [(0, 0), (0, 10)]
    assert by_window.argmax(axis=1).tolist() == [0, 1]


def test_an_utterance_alone_has_the_same_probabilities_as_in_a_batch_with_longer_ones():
    torch.manual_seed(0)
    config = AcrnnConfig(n_mels=32, channels=(4, 8), lstm_hidden_size=8, num_attention_heads=2, window_frames=40)
    engine = TorchEngine(AcrnnForAudioClassification(config).eval(), CPU)
    random = numpy.random.default_rng(0)
    log_mels = [random.normal(-40, 10, (frames, 32)).astype(numpy.float32) for frames in (1, 7, 40, 41, 200, 3)]
    together = predict_log_mels(engine, log_mels, 40)
    assert together.sum(axis=1) == pytest.approx(numpy.ones(6))
    for row, log_mel in enumerate(log_mels):
        assert predict_log_mels(engine, [log_mel], 40)[0] == pytest.approx(together[row], abs=1e-6)


def test_batches_of_windows_are_standardised_and_of_limited_size():
    log_mels = [numpy.full((10, 2), row, numpy.float16) for row in range(BATCH_WINDOWS + 3)]
    statistics = numpy.stack([[numpy.full(2, row - 3.0), numpy.full(2, 2.0)] for row in range(len(log_mels))])
    places, batches = window_batches(log_mels, 10, 0.0, statistics.astype(numpy.float32), BATCH_WINDOWS)
    batches = list(batches)
    assert places == [(row, 0) for row in range(len(log_mels))]
    assert [batch.shape for batch in batches] == [(BATCH_WINDOWS, 10, 2), (3, 10, 2)]
    assert numpy.array_equal(numpy.concatenate(batches), numpy.full((len(log_mels), 10, 2), 1.5))


def test_no_utterance_is_refused():
    with pytest.raises(DataError) as error:
        predict_log_mels(TorchEngine(FirstBin(), CPU), [], 40)
    assert str(error.value) == "There is no utterance to predict; name at least one."
