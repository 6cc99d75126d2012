"""Fitting functionals: narrow ones are not amplified, and speakers are standardised by their functionals."""

import numpy
import pytest
import torch

from emokit.audio.functionals import fit
from emokit.audio.functionals.model import FunctionalsForAudioClassification
from emokit.audio.settings import AudioSettings
from emokit.audio.splits import read_splits
from emokit.data.prepared import open_prepared
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.training.batches import one_hot
from emokit.training.linear.fit import fit_on_dev, predict
from emokit.training.linear.vectors import speakers_of, with_speakers

NUM_CLASSES = len(DEFAULT_LABELS)
SETTINGS = AudioSettings.make({"features": {"n_mels": 64}, "model": {"kind": "functionals"}})


def speech(seed: int = 0, frames: int = 50, mels: int = 64) -> numpy.ndarray:
    """(frames, mels) decibels, none of them silent."""
    random = numpy.random.default_rng(seed)
    return random.normal(-30, 3, (frames, mels)).astype(numpy.float32)


def new() -> FunctionalsForAudioClassification:
    return fit.new_model(SETTINGS, SETTINGS.features, DEFAULT_LABELS)


def test_a_new_model_has_the_windows_features_and_labels_of_its_settings():
    labels = LabelSet(("positive", "negative"))
    values = {"features": {"n_mels": 40}, "data": {"window_seconds": 1.5, "speaker_normalisation": True}}
    settings = AudioSettings.make({**values, "model": {"kind": "functionals"}})
    config = fit.new_model(settings, settings.features, labels).config
    assert (config.n_mels, config.window_frames, config.normalisation) == (40, 65, "speaker")
    assert config.features == settings.features.as_dict()
    assert config.label2id == {"positive": 0, "negative": 1}


def test_functionals_that_hardly_varied_in_training_do_not_decide() -> None:
    random = numpy.random.default_rng(0)
    narrow = numpy.stack([speech(seed) for seed in range(42)])
    narrow[:, :, 40:] = -80 + random.normal(0, 1e-4, narrow[:, :, 40:].shape)  # as cut off by the recording
    model, targets = new(), numpy.arange(42) % NUM_CLASSES
    vectors = fit.vectors_of(model, list(narrow), None)
    fit_on_dev(model, vectors, one_hot(targets, NUM_CLASSES), vectors, targets, [1e-3])
    trained, wide = (
        model(torch.from_numpy(windows)).logits.abs().max() for windows in (narrow, narrow[:, :, ::-1].copy())
    )
    assert wide < 20 * trained


def test_splits_are_fitted_on_train_and_predicted(small_prepared, small_settings) -> None:
    settings = AudioSettings.make(small_settings | {"model": {"kind": "functionals"}})
    splits = read_splits(settings, open_prepared(small_prepared))
    model, probabilities = fit.fit_splits(settings, settings.features, splits)
    assert {split: len(rows) for split, rows in probabilities.items()} == {
        split: len(splits[split].table) for split in ("dev", "test")
    }
    train = splits["train"]
    predicted = predict(model, fit.vectors_of(model, train.log_mels, None), len(train.table))
    assert (predicted.argmax(axis=1) == train.targets).mean() > 0.5


def test_by_speaker_functionals_are_standardised_and_not_the_spectrogram(small_prepared, small_settings) -> None:
    values = small_settings | {"model": {"kind": "functionals"}, "data": {"speaker_normalisation": True}}
    settings = AudioSettings.make(values)
    splits = read_splits(settings, open_prepared(small_prepared))
    model, probabilities = fit.fit_splits(settings, settings.features, splits)
    assert model.config.normalised == "vectors"
    test = splits["test"]
    vectors = fit.vectors_of(model, test.log_mels, None)
    by_speaker = with_speakers(vectors, speakers_of(test.table))
    assert probabilities["test"] == pytest.approx(predict(model, by_speaker, len(test.table)))
    assert numpy.abs(probabilities["test"] - predict(model, vectors, len(test.table))).max() > 1e-3
