"""Inputs that get a transcript as their text, and the options that name a recogniser."""

from pathlib import Path

import pytest

from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Input
from emokit.modality.transcribing import OPTIONS, recogniser_of, transcribed
from tests.transcription.conftest import sounds, whisper  # noqa: F401  fixtures


def test_the_options_go_to_the_loading_of_a_model_for_prediction():
    assert [(option.flag, option.commands, option.role) for option in OPTIONS] == [
        (flag, ("predict",), "model") for flag in ("--transcribe", "--language", "--translate")
    ]


def test_only_recordings_without_a_text_are_transcribed(whisper, sounds):  # noqa: F811
    folder = sounds("low", "hush")
    recogniser = recogniser_of(whisper, device="cpu")
    items = [
        Input("low", folder / "low.wav"),
        Input("typed", text="typed"),
        Input("both", folder / "low.wav", "its own"),
        Input("-", folder / "hush.wav"),
        Input("gone", folder / "gone.wav"),
    ]
    low, typed, both, hush, gone = transcribed(items, recogniser)
    assert (low.item.text, low.details) == ("good morning", {"text_source": "transcript", "language": "en"})
    assert (typed.item, both.item) == (items[1], items[2])
    assert typed.details == {"text_source": None, "language": None}
    assert str(hush.error) == "Standard input has no speech to transcribe; leave it out."
    assert str(gone.error) == (
        "gone is unreadable (No such file or directory); check that it exists and that you may read it."
    )
    assert isinstance(gone.error, DataError)


def test_without_a_recogniser_all_inputs_stay_as_they_are():
    items = [Input("a", Path("a.wav")), Input("b", text="b")]
    assert [entry.item for entry in transcribed(items, recogniser_of())] == items


@pytest.mark.parametrize("name", ["language", "translate"])
def test_an_option_without_a_recogniser_is_refused(name):
    with pytest.raises(UsageError) as refused:
        recogniser_of(**{name: "de"})
    assert str(refused.value) == f"{name} was given without transcribe, whose transcripts it is for; give both."
