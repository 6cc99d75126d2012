"""The vision modality: a pretrained network by its name, and no training."""

import pytest

from emokit.errors import DataError, UsageError
from emokit.modality.registry import exportable, modality, trainable
from emokit.vision.deepface import DEEPFACE_LABELS
from emokit.vision.modality import VISION
from tests.vision.conftest import brightness


def test_it_is_registered_and_neither_trained_nor_exported(tmp_path):
    assert modality("vision") is VISION
    assert "vision" not in trainable()
    assert "vision" not in exportable()
    with pytest.raises(UsageError) as error:
        VISION.settings()
    assert str(error.value) == "There are no settings of vision; it is used as it is."
    with pytest.raises(UsageError) as error:
        VISION.export(tmp_path, tmp_path / "out")
    assert str(error.value) == f"{tmp_path} is a run of vision, which cannot be exported; name another run."


def test_its_name_loads_deepface(monkeypatch, tmp_path):
    monkeypatch.setattr("emokit.vision.deepface.deepface", lambda: brightness)
    predictor = VISION.load(None)
    assert (predictor.name, predictor.network, predictor.labels) == ("deepface", brightness, DEEPFACE_LABELS)
    with pytest.raises(DataError) as error:
        VISION.load(tmp_path)
    assert str(error.value) == f"{tmp_path} is a run of vision, which has none; use the name vision in place of a run."


def test_the_card_names_its_inputs():
    assert VISION.card({}).reads == "a video clip of one utterance"
