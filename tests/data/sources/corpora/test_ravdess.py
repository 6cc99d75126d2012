"""The file names and layouts of RAVDESS."""

from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora.ravdess import read
from emokit.data.utterance import Dropped, Utterance


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_every_field_of_a_name_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "Audio_Speech_Actors_01-24/Actor_12/03-01-08-02-01-02-12.wav")
    assert list(read(tmp_path, {})) == [
        Utterance(
            utterance_id="ravdess/03-01-08-02-01-02-12",
            corpus="ravdess",
            path="Audio_Speech_Actors_01-24/Actor_12/03-01-08-02-01-02-12.wav",
            speaker="12",
            raw_label="surprised",
            gender="female",
            language="en",
            text="Kids are talking by the door.",
            intensity="strong",
            sentence="01",
            take="02",
        )
    ]


def test_the_numbers_are_the_emotions_in_order(tmp_path: Path) -> None:
    touch(tmp_path, *(f"03-01-0{number}-01-02-01-07.WAV" for number in range(1, 9)))
    rows = [row for row in read(tmp_path, {}) if isinstance(row, Utterance)]
    words = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
    assert [row.raw_label for row in rows] == words
    assert {(row.gender, row.text, row.intensity) for row in rows} == {
        ("male", "Dogs are sitting by the door.", "normal")
    }


def test_a_folder_that_disagrees_with_the_name_is_flagged(tmp_path: Path) -> None:
    touch(tmp_path, "Actor_05/03-01-05-01-01-01-02.wav")
    (row,) = read(tmp_path, {})
    assert isinstance(row, Utterance)
    assert (row.speaker, row.gender, row.flags) == ("02", "female", ("in the folder of actor 05",))


def test_a_tree_nested_in_itself_counts_once(tmp_path: Path) -> None:
    name = "Actor_02/03-01-05-01-01-01-02.wav"
    touch(tmp_path, name, "Actor_05/03-01-05-01-01-01-02.wav", f"audio_speech_actors_01-24/{name}")
    taken, *copies = read(tmp_path, {})
    assert isinstance(taken, Utterance)
    assert (taken.path, taken.flags) == (name, ())
    assert {(copy.reason, copy.detail) for copy in copies if isinstance(copy, Dropped)} == {
        ("a copy of a file of the same name", f"taken: {name}")
    }


def test_an_emotion_appended_to_the_name_does_not_change_id_and_label(tmp_path: Path) -> None:
    touch(tmp_path, "training/Actor_02/03-01-05-01-01-01-02_angry.wav", "a/03-01-05-01-01-01-02_sad.wav")
    taken, copy = read(tmp_path, {})
    assert isinstance(taken, Utterance)
    assert (taken.utterance_id, taken.raw_label) == ("ravdess/03-01-05-01-01-01-02", "angry")
    assert taken.flags == ("_sad appended to its name",)
    assert copy == Dropped(
        "training/Actor_02/03-01-05-01-01-01-02_angry.wav",
        "a copy under a longer name",
        "taken: a/03-01-05-01-01-01-02_sad.wav",
    )


def test_songs_and_videos_are_dropped_with_their_reason(tmp_path: Path) -> None:
    touch(tmp_path, "01-01-05-01-01-01-02.mp4", "02-01-05-01-01-01-02.mp4", "03-02-05-01-01-01-02.wav")
    video = "video, not audio"
    assert list(read(tmp_path, {})) == [
        Dropped("01-01-05-01-01-01-02.mp4", video),
        Dropped("02-01-05-01-01-01-02.mp4", video),
        Dropped("03-02-05-01-01-01-02.wav", "song, not speech"),
    ]


@pytest.mark.parametrize("stem", ["03-01-09-01-01-01-02", "03-01-05-01-01-01-25", "03-01-05-01-01-02", "03a01Fa"])
def test_an_unknown_name_is_dropped(tmp_path: Path, stem: str) -> None:
    touch(tmp_path, f"{stem}.wav")
    assert list(read(tmp_path, {})) == [Dropped(f"{stem}.wav", "unknown file name")]


@pytest.mark.corpus
def test_actor_01_is_read_completely(corpora: Path) -> None:
    rows = list(read(corpora / "ravdess", {}))
    assert len(rows) == 60
    assert all(isinstance(row, Utterance) and row.speaker == "01" and not row.flags for row in rows)


@pytest.mark.corpus
def test_the_complete_corpus_is_read(corpora: Path) -> None:
    rows = list(read(corpora / "ravdess-22k", {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len(rows) == len(utterances) == 1440
    assert Counter(row.speaker for row in utterances) == {f"{actor:02}": 60 for actor in range(1, 25)}
    labels = Counter(row.raw_label for row in utterances)
    assert labels.pop("neutral") == 96
    assert set(labels.values()) == {192}
    assert len(labels) == 7
