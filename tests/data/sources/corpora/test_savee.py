"""The file names and the two layouts of SAVEE."""

from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora.savee import read
from emokit.data.utterance import Dropped, Utterance


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_every_field_of_a_name_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "ALL/DC_sa01.wav")
    assert list(read(tmp_path, {})) == [
        Utterance(
            utterance_id="savee/DC_sa01",
            corpus="savee",
            path="ALL/DC_sa01.wav",
            speaker="DC",
            raw_label="sadness",
            gender="male",
            language="en",
            sentence="01",
        )
    ]


@pytest.mark.parametrize("folder", ["AudioData", "AudioData/AudioData"])
def test_names_shared_by_speakers_are_distinguished_by_the_folder(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, f"{folder}/DC/a01.wav", f"{folder}/KL/a01.wav", f"{folder}/KL/su15.WAV")
    rows = [row for row in read(tmp_path, {}) if isinstance(row, Utterance)]
    assert [(row.utterance_id, row.speaker, row.raw_label) for row in rows] == [
        ("savee/DC_a01", "DC", "anger"),
        ("savee/KL_a01", "KL", "anger"),
        ("savee/KL_su15", "KL", "surprise"),
    ]


def test_the_letters_are_the_emotions(tmp_path: Path) -> None:
    touch(tmp_path, *(f"JK_{letters}02.wav" for letters in ("a", "d", "f", "h", "n", "sa", "su")))
    labels = [row.raw_label for row in read(tmp_path, {}) if isinstance(row, Utterance)]
    assert labels == ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]


def test_both_layouts_side_by_side_count_once(tmp_path: Path) -> None:
    touch(tmp_path, "ALL/JE_n30.wav", "AudioData/JE/n30.wav")
    taken, copy = read(tmp_path, {})
    assert isinstance(taken, Utterance)
    assert copy == Dropped("AudioData/JE/n30.wav", "a copy of a file of the same name", "taken: ALL/JE_n30.wav")


def test_a_file_of_the_same_name_and_different_content_is_dropped_as_such(tmp_path: Path) -> None:
    touch(tmp_path, "ALL/JE_n30.wav", "AudioData/JE/n30.wav")
    (tmp_path / "AudioData/JE/n30.wav").write_bytes(b"x")
    _, other = read(tmp_path, {})
    assert other == Dropped("AudioData/JE/n30.wav", "another file of the same name", "taken: ALL/JE_n30.wav")


def test_a_folder_that_disagrees_with_the_name_is_flagged(tmp_path: Path) -> None:
    touch(tmp_path, "DC/JE_a01.wav")
    (row,) = read(tmp_path, {})
    assert isinstance(row, Utterance)
    assert (row.speaker, row.flags) == ("JE", ("in the folder of DC",))


def test_names_without_a_speaker_or_out_of_range_are_dropped(tmp_path: Path) -> None:
    touch(tmp_path, "a01.wav", "DC_a16.wav", "DC_n31.wav", "DC_s01.wav", "XX_a01.wav")
    unknown = "unknown file name"
    assert {row.name: row.reason for row in read(tmp_path, {}) if isinstance(row, Dropped)} == {
        "a01.wav": "no speaker in its name or folder",
        "DC_a16.wav": unknown,
        "DC_n31.wav": unknown,
        "DC_s01.wav": unknown,
        "XX_a01.wav": unknown,
    }


@pytest.mark.corpus
def test_the_real_sample_is_read_completely(corpora: Path) -> None:
    rows = list(read(corpora / "savee", {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len(rows) == len(utterances) == 28
    assert Counter(row.speaker for row in utterances) == {"DC": 14, "JE": 14}
    assert set(Counter(row.raw_label for row in utterances).values()) == {4}


def test_the_first_three_sentences_are_common_to_all_emotions_and_the_others_their_own(tmp_path: Path) -> None:
    for code in ("a", "n", "su"):
        for number in ("01", "03", "04", "15"):
            (tmp_path / f"KL_{code}{number}.wav").touch()
    utterances = [row for row in read(tmp_path, {}) if isinstance(row, Utterance)]
    assert {row.utterance_id[9:]: row.sentence for row in utterances} == {
        "a01": "01", "a03": "03", "a04": "a04", "a15": "a15",
        "n01": "01", "n03": "03", "n04": "n04", "n15": "n15",
        "su01": "01", "su03": "03", "su04": "su04", "su15": "su15",
    }  # fmt: skip
