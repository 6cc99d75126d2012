"""The file names and layouts of TESS."""

from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora.tess import read
from emokit.data.utterance import Dropped, Utterance


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_every_field_of_a_name_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "OAF_Pleasant_surprise/OAF_back_ps.wav")
    assert list(read(tmp_path, {})) == [
        Utterance(
            utterance_id="tess/OAF_back_ps",
            corpus="tess",
            path="OAF_Pleasant_surprise/OAF_back_ps.wav",
            speaker="OAF",
            raw_label="ps",
            gender="female",
            language="en",
            text="Say the word back.",
            sentence="back",
        )
    ]


def test_the_speaker_oa_is_oaf(tmp_path: Path) -> None:
    touch(tmp_path, "OAF_neutral/OA_bite_neutral.wav")
    (row,) = read(tmp_path, {})
    assert isinstance(row, Utterance)
    assert (row.utterance_id, row.speaker) == ("tess/OA_bite_neutral", "OAF")
    assert row.flags == ("named OA_ instead of OAF_",)


@pytest.mark.parametrize("folder", ["OAF_Fear", "OAF_fear", "oaf_fear", "TESS data", "."])
def test_a_folder_in_any_spelling_is_not_flagged(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, f"{folder}/OAF_bath_fear.WAV")
    (row,) = read(tmp_path, {})
    assert isinstance(row, Utterance)
    assert (row.raw_label, row.flags) == ("fear", ())


@pytest.mark.parametrize("folder", ["OAF_Sad", "YAF_fear", "OAF_Pleasant_surprised"])
def test_a_folder_that_disagrees_with_the_name_is_flagged(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, f"{folder}/OAF_bath_fear.wav")
    (row,) = read(tmp_path, {})
    assert isinstance(row, Utterance)
    assert (row.raw_label, row.flags) == ("fear", (f"in the folder {folder}",))


def test_a_tree_nested_in_itself_counts_once(tmp_path: Path) -> None:
    first, second = "TESS data/YAF_sad/YAF_dog_sad.wav", "TESS data/tess data/YAF_sad/YAF_dog_sad.wav"
    touch(tmp_path, first, second)
    taken, copy = read(tmp_path, {})
    assert isinstance(taken, Utterance)
    assert copy == Dropped(second, "a copy of a file of the same name", f"taken: {first}")


@pytest.mark.parametrize("stem", ["XAF_back_sad", "OAF_back", "OAF_back_surprise", "03a01Fa"])
def test_an_unknown_name_is_dropped(tmp_path: Path, stem: str) -> None:
    touch(tmp_path, f"{stem}.wav")
    assert list(read(tmp_path, {})) == [Dropped(f"{stem}.wav", "unknown file name")]


@pytest.mark.corpus
def test_the_real_sample_is_read_completely(corpora: Path) -> None:
    rows = list(read(corpora / "tess", {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len(rows) == len(utterances) == 60
    assert Counter(row.speaker for row in utterances) == {"OAF": 30, "YAF": 30}
    assert Counter(row.raw_label for row in utterances) == {
        "angry": 9,
        "disgust": 8,
        "fear": 10,
        "happy": 8,
        "neutral": 9,
        "ps": 8,
        "sad": 8,
    }
    assert [row.flags for row in utterances if row.flags] == [("named OA_ instead of OAF_",)]
