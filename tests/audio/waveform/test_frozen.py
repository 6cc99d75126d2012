"""Training above a frozen encoder: its cached layers give the logits of its waveforms."""

import numpy
import pytest
import torch

from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.frozen import FrozenBatches, means_of, predict_layers
from emokit.audio.waveform.predict import layer_statistics, predict_waveforms
from emokit.audio.waveform.pretrained import pretrained
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS
from tests.audio.conftest import KINDS

RANDOM = numpy.random.default_rng(0)
WAVEFORMS = [RANDOM.normal(0, 0.1, length).astype(numpy.float32) for length in (5_000, 20_000, 12_345)]
TRAINING = AudioSettings.make({"training": {"batch_size": 4}}).training


def new_model(folder):
    values = {"model": {"name": str(folder), "frozen": True}, "data": {"window_seconds": 0.75}}
    model = pretrained(AudioSettings.make(values), DEFAULT_LABELS).eval()
    torch.nn.init.normal_(model.layer_weights)
    return model


def layers(model):
    return [statistics.astype(numpy.float32) for statistics in (layer_statistics(model, [w])[1] for w in WAVEFORMS)]


@pytest.mark.parametrize("kind", KINDS)
def test_layers_give_the_probabilities_of_the_waveforms(encoder_of, kind):
    model = new_model(encoder_of(kind))
    assert predict_layers(model, layers(model)) == pytest.approx(predict_waveforms(model, WAVEFORMS), abs=1e-5)


def test_windows_are_rows_with_the_target_of_their_utterance(encoder_of):
    of_rows = layers(new_model(encoder_of("wav2vec2")))
    owners, means = means_of(of_rows)
    assert owners.tolist() == [0, 1, 1, 2, 2]
    shares = numpy.eye(len(DEFAULT_LABELS), dtype=numpy.float32)[[1, 2, 3]]
    plain = TRAINING.model_copy(update={"mixup_alpha": 0.0})
    batches = list(FrozenBatches(of_rows, shares, plain)(1))
    assert sorted(len(batch["targets"]) for batch in batches) == [1, 4]
    for batch in batches:
        for row, target in zip(batch["layer_means"].numpy(), batch["targets"].argmax(1).tolist(), strict=True):
            (place,) = numpy.flatnonzero((means == row).all(axis=(1, 2)))
            assert target == owners[place] + 1


def test_an_epoch_is_repeatable_and_mixup_mixes_targets(encoder_of):
    of_rows = layers(new_model(encoder_of("wav2vec2")))
    shares = numpy.eye(len(DEFAULT_LABELS), dtype=numpy.float32)[[1, 2, 3]]
    batches = FrozenBatches(of_rows, shares, TRAINING.model_copy(update={"mixup_alpha": 5.0}))
    first, again, next_epoch = (list(batches(epoch)) for epoch in (1, 1, 2))
    assert all(torch.equal(a["layer_means"], b["layer_means"]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0]["targets"], next_epoch[0]["targets"])
    assert any(0 < value < 1 for batch in first for value in batch["targets"].flatten().tolist())


def test_no_utterance_is_refused(encoder_of):
    with pytest.raises(DataError) as error:
        predict_layers(new_model(encoder_of("wav2vec2")), [])
    assert str(error.value) == "There is no utterance to predict; name at least one."
