"""The sentences about audio files that are refused."""

import copy
from pathlib import Path

import pytest

from emokit.data.audio_io import faults
from emokit.data.audio_io.faults import ADVICE, COMPLETE, BadAudio, End, another_at


def test_bad_audio_can_be_pickled(tmp_path: Path) -> None:
    error = BadAudio(tmp_path, "empty", "0 bytes")
    copied = copy.copy(error)  # uses __reduce__, as pickle does between processes
    assert (str(copied), copied.reason, copied.detail) == (str(error), "empty", "0 bytes")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (faults.TOO_LONG, "a.wav is too long (DETAIL); cut it into shorter recordings."),
        (faults.NOT_FINITE, "a.wav is without finite features (DETAIL); leave it out."),
        (faults.TRUNCATED, "a.wav is truncated (DETAIL); fetch it again."),
        (faults.DAMAGED, "a.wav is damaged (DETAIL); fetch it again or leave it out."),
    ],
)
def test_every_reason_has_its_advice(reason: str, sentence: str) -> None:
    assert str(BadAudio(Path("a.wav"), reason, "DETAIL")) == sentence


def test_no_reason_lacks_advice() -> None:
    reasons = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}
    assert reasons == set(ADVICE)


def test_a_complete_file_shows_no_cut_and_states_nothing() -> None:
    assert End("", "", "", (), 0) == COMPLETE


def test_what_follows_the_audio_is_named_with_its_place() -> None:
    assert another_at(7) == "another file begins at byte 7, which may not be read"
