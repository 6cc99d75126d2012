"""The file names and layouts of EmoDB."""

from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora.emodb import read
from emokit.data.utterance import Dropped, Utterance


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_every_field_of_a_name_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "download/wav/03a01Fa.wav")
    assert list(read(tmp_path, {})) == [
        Utterance(
            utterance_id="emodb/03a01Fa",
            corpus="emodb",
            path="download/wav/03a01Fa.wav",
            speaker="03",
            raw_label="happiness",
            gender="male",
            language="de",
            text="Der Lappen liegt auf dem Eisschrank.",
            sentence="a01",
            take="a",
        )
    ]


def test_the_letters_are_the_initials_of_the_german_words(tmp_path: Path) -> None:
    touch(tmp_path, *(f"08b10{letter}c.WAV" for letter in "WLEAFTN"))
    labels = {row.path[5]: row.raw_label for row in read(tmp_path, {}) if isinstance(row, Utterance) and row.path}
    assert labels == {
        "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral"
    }  # fmt: skip


def test_transcripts_are_ignored_and_unknown_names_are_dropped(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "lablaut/03a01Faxx.lablaut",
        "silb/03a01Fa.silb",
        "wav/04a01Fa.wav",
        "wav/03a03Fa.wav",
        "wav/.DS_Store",
    )
    reason = "unknown file name"
    assert list(read(tmp_path, {})) == [Dropped("wav/03a03Fa.wav", reason), Dropped("wav/04a01Fa.wav", reason)]


def test_a_tree_nested_in_itself_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "wav/16b02Nb.wav", "emodb/wav/16b02Nb.wav")
    taken, copy = read(tmp_path, {})
    assert isinstance(taken, Utterance)
    assert copy == Dropped("emodb/wav/16b02Nb.wav", "a copy of a file of the same name", "taken: wav/16b02Nb.wav")


@pytest.mark.corpus
def test_the_complete_corpus_is_read(corpora: Path) -> None:
    rows = list(read(corpora / "emodb", {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len(rows) == len(utterances) == 535
    assert Counter(row.raw_label for row in utterances) == {
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    }
    assert Counter(row.gender for row in utterances) == {"female": 302, "male": 233}
    assert len({row.speaker for row in utterances}) == len({row.text for row in utterances}) == 10
