"""Late fusion as other parts of emokit see it."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.fusion.late.modality import LATE_FUSION
from emokit.fusion.late.settings import FusionSettings
from emokit.modality.registry import exportable, modality, trainable


def test_it_is_registered_and_neither_trained_nor_exported():
    assert modality("late-fusion") is LATE_FUSION
    assert LATE_FUSION.settings() is FusionSettings
    assert FusionSettings().modality == LATE_FUSION.name
    assert "late-fusion" not in trainable()
    assert "late-fusion" not in exportable()


def test_there_is_no_pretrained_model():
    with pytest.raises(UsageError) as error:
        LATE_FUSION.load(None)
    assert str(error.value) == (
        "There is no pretrained model of late-fusion; name a run that `emokit fuse-search` made."
    )


def test_a_run_is_made_again_from_its_branches_and_settings():
    settings = {"branches": {"audio": ["../a"], "face": ["../dev.csv", "../test.csv"]}}
    assert LATE_FUSION.rerun(Path("runs/fused"), settings, {}) == [
        "emokit", "fuse-search", "audio=runs/a", "face=runs/dev.csv", "face=runs/test.csv",
        "--settings", "runs/fused/settings.yaml", "--run", "runs/fused-again",
    ]  # fmt: skip


def test_the_card_names_the_inputs_and_where_the_branches_are():
    facts = LATE_FUSION.card({})
    assert facts.reads == "the audio, video and text of one utterance"
    assert facts.example == 'some.mp4 --text "I did not expect that!"'
    assert facts.loading == (
        "RUN is this folder; the runs that it fuses are named in `settings.yaml`, with their weights and temperatures."
    )
