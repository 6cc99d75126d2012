"""Fitting functionals: the strength of regularisation is chosen on dev, and narrow functionals are not amplified."""

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
    model, dev = new(), numpy.arange(NUM_CLASSES)
    targets = numpy.arange(42) % NUM_CLASSES
    fit.fit(model, [torch.from_numpy(narrow)], one_hot(targets, NUM_CLASSES), lambda _: numpy.eye(NUM_CLASSES), dev)
    trained, wide = (
        model(torch.from_numpy(windows)).logits.abs().max() for windows in (narrow, narrow[:, :, ::-1].copy())
    )
    assert wide < 20 * trained


@pytest.mark.parametrize("best", [*range(len(fit.STRENGTHS)), None])
def test_the_strength_with_the_highest_uar_on_dev_is_chosen_and_the_strongest_in_a_tie(best: int | None) -> None:
    targets = numpy.arange(42) % NUM_CLASSES
    windows = torch.from_numpy(numpy.stack([speech(seed) for seed in range(42)]))
    tried: list[torch.Tensor] = []

    def predict_dev(model: FunctionalsForAudioClassification) -> numpy.ndarray:
        tried.append(model.linear.weight.clone())
        right = numpy.eye(NUM_CLASSES)[numpy.arange(NUM_CLASSES)]
        return right if best is None or len(tried) == best + 1 else numpy.roll(right, 1, axis=0)

    model = new()
    fit.fit(model, [windows[:20], windows[20:]], one_hot(targets, NUM_CLASSES), predict_dev, numpy.arange(NUM_CLASSES))
    assert len(tried) == len(fit.STRENGTHS)
    assert torch.equal(model.linear.weight, tried[best or 0])
    norms = [float(weights.norm()) for weights in tried]
    assert norms == sorted(norms)  # the strongest regularisation comes first


def test_splits_are_fitted_on_train_and_predicted(small_prepared, small_settings) -> None:
    settings = AudioSettings.make(small_settings | {"model": {"kind": "functionals"}})
    splits = read_splits(settings, open_prepared(small_prepared))
    model = fit.fit_splits(settings, settings.features, splits)
    train = splits["train"]
    probabilities = fit.predict(model, train)
    assert probabilities.shape == (len(train.table), NUM_CLASSES)
    assert (probabilities.argmax(axis=1) == train.targets).mean() > 0.5
