"""Model families: one for each `model.kind`, and what they share."""

import math
from typing import get_args

import numpy
import pytest

from emokit.audio.family import FAMILIES, RecordingPredictions, family
from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.probe.model import ProbeConfig, ProbeForAudioClassification
from emokit.audio.settings import ModelSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.training.model_checks import check_labels, load_pretrained
from tests.audio.conftest import CONVOLUTIONS, LAYERS, POSITIONS

LABELS = LabelSet(("positive", "negative", "calm"))
SMALL = {"n_mels": 32, "channels": (4, 8), "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8}


def test_every_kind_of_model_has_a_family():
    kinds = get_args(ModelSettings.model_fields["kind"].annotation)
    assert set(kinds) == set(FAMILIES)
    assert {kind: family(kind).has_epochs for kind in kinds} == {
        "acrnn": True,
        "pretrained": True,
        "functionals": False,
        "probe": False,
    }


def test_the_label_set_of_a_model_is_read_from_its_config(tmp_path):
    config = AcrnnConfig(**SMALL, id2label=LABELS.id2label, label2id=LABELS.label2id)
    AcrnnForAudioClassification(config).save_pretrained(tmp_path)
    model = load_pretrained(AcrnnForAudioClassification, tmp_path)
    check_labels(model.config, LABELS, tmp_path)
    assert not model.training


def test_a_damaged_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DataError) as error:
        load_pretrained(AcrnnForAudioClassification, tmp_path)
    assert str(error.value).startswith(f"{tmp_path} holds no complete model (")
    assert str(error.value).endswith("); train the run again with --force.")


def test_a_model_with_an_infinite_mean_is_refused(tmp_path):
    config = FunctionalsConfig(n_mels=8, id2label=LABELS.id2label, label2id=LABELS.label2id)
    model = FunctionalsForAudioClassification(config)
    model.mean[3] = math.inf  # values would be clipped to finite ones
    model.save_pretrained(tmp_path)
    with pytest.raises(DataError) as error:
        load_pretrained(FunctionalsForAudioClassification, tmp_path)
    assert str(error.value) == (
        f"{tmp_path} has a damaged model (mean has numbers that are not finite); train the run again with --force."
    )


@pytest.mark.parametrize("value", [0.0, -1.0])
@pytest.mark.parametrize(
    ("config", "name"),
    [
        (FunctionalsConfig(n_mels=8), "deviation"),
        (ProbeConfig(encoder={"model_type": "wav2vec2", **CONVOLUTIONS, **POSITIONS, **LAYERS}), "deviation"),
        (AcrnnConfig(**SMALL), "feature_deviation"),
        (AcrnnConfig(**SMALL), "stem.1.running_var"),
    ],
)
def test_a_model_with_a_deviation_that_is_none_is_refused(tmp_path, config, name, value):
    classes = (FunctionalsForAudioClassification, ProbeForAudioClassification, AcrnnForAudioClassification)
    model_class = next(model_class for model_class in classes if isinstance(config, model_class.config_class))
    model = model_class(config)
    dict(model.named_buffers())[name][3] = value
    model.save_pretrained(tmp_path)
    if name.endswith("running_var") and value == 0:  # of a channel that is always the same
        assert not load_pretrained(model_class, tmp_path).training
        return
    with pytest.raises(DataError) as error:
        load_pretrained(model_class, tmp_path)
    assert str(error.value) == (
        f"{tmp_path} has a damaged model ({name} has numbers that are no deviations); train the run again with --force."
    )


def test_the_probabilities_of_a_recording_are_the_mean_over_its_windows():
    by_window = numpy.array([[0.2, 0.8], [0.6, 0.4]])
    predicted = RecordingPredictions(numpy.array([[0, 1], [1, 2]]), by_window)
    assert predicted.probabilities == pytest.approx([0.4, 0.6])
