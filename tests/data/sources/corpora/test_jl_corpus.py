import csv
from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora import jl_corpus
from emokit.data.synthesis.rehearse import rehearse
from emokit.data.utterance import Dropped, Utterance

FOLDER = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"


def read(root: Path) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(jl_corpus.read(root, {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_name_contains_speaker_emotion_sentence_and_take(tmp_path: Path) -> None:
    root = make(tmp_path, f"{FOLDER}/female1_angry_10a_1.wav")
    (root / FOLDER / "female1_angry_10a_1.txt").write_bytes("Tom beats that farmer’s dog\r\n".encode("cp1252"))
    utterances, dropped = read(root)
    assert not dropped
    assert utterances["jl_corpus/female1_angry_10a_1"] == Utterance(
        utterance_id="jl_corpus/female1_angry_10a_1",
        corpus="jl_corpus",
        path=f"{FOLDER}/female1_angry_10a_1.wav",
        speaker="female1",
        raw_label="angry",
        gender="female",
        language="en",
        text="Tom beats that farmer’s dog",
        sentence="10",
        take="a1",
    )


def test_sentence_ids_are_shared_by_primary_emotions_and_separate_for_secondary_ones(tmp_path: Path) -> None:
    utterances, _ = read(make(tmp_path, "male2_sad_1b_2.wav", "male2_excited_1a_1.wav", "male2_anxious_1b_2.wav"))
    assert utterances["jl_corpus/male2_sad_1b_2"].sentence == utterances["jl_corpus/male2_excited_1a_1"].sentence == "1"
    assert utterances["jl_corpus/male2_anxious_1b_2"].sentence == "anxious-1"


def test_the_text_of_a_missing_or_empty_transcript_is_none(tmp_path: Path) -> None:
    utterances, _ = read(make(tmp_path, "male1_sad_1a_1.wav", "male1_sad_2a_1.wav", "male1_sad_2a_1.txt"))
    assert [row.text for row in utterances.values()] == [None, None]


@pytest.mark.parametrize(
    "stem", ["male3_sad_1a_1", "male1_bored_1a_1", "male1_sad_16a_1", "male1_sad_0a_1", "male1_sad_1c_1"]
)
def test_an_unknown_name_is_dropped(tmp_path: Path, stem: str) -> None:
    utterances, dropped = read(make(tmp_path, f"{stem}.wav"))
    assert not utterances
    assert dropped == [Dropped(f"{stem}.wav", "unknown file name")]


@pytest.mark.corpus
def test_every_name_of_the_complete_corpus_is_read(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "jlcorpus.csv"
    rehearse(manifest, tmp_path / "jl", seconds=0)
    utterances, dropped = read(tmp_path / "jl")
    assert (len(utterances), dropped) == (2400, [])
    with manifest.open() as file:
        expected = {f"jl_corpus/{Path(row['path']).stem}": row["emotion"] for row in csv.DictReader(file)}
    assert {name: row.raw_label for name, row in utterances.items()} == expected
    assert set(Counter(row.raw_label for row in utterances.values()).values()) == {240}
    assert Counter(row.speaker for row in utterances.values()) == {
        "female1": 600,
        "female2": 600,
        "male1": 600,
        "male2": 600,
    }
    assert sum(row.raw_label in jl_corpus.PRIMARY for row in utterances.values()) == 1200
