import csv
from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora import jl_corpus
from emokit.data.synthesis.rehearse import rehearse
from emokit.data.utterance import Dropped, Utterance

FOLDER = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"


def read(root: Path) -> tuple[dict[str, Utterance], list[Dropped]]:
    found = list(jl_corpus.read(root, {}))
    kept = [row for row in found if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in kept}) == len(kept)
    return {row.utterance_id: row for row in kept}, [row for row in found if isinstance(row, Dropped)]


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_name_says_speaker_emotion_sentence_and_take(tmp_path: Path) -> None:
    root = make(tmp_path, f"{FOLDER}/female1_angry_10a_1.wav")
    (root / FOLDER / "female1_angry_10a_1.txt").write_bytes("Tom beats that farmer’s dog\r\n".encode("cp1252"))
    kept, dropped = read(root)
    assert not dropped
    assert kept["jl_corpus/female1_angry_10a_1"] == Utterance(
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


def test_sentences_are_equal_over_primary_emotions_and_apart_for_secondary_ones(tmp_path: Path) -> None:
    kept, _ = read(make(tmp_path, "male2_sad_1b_2.wav", "male2_excited_1a_1.wav", "male2_anxious_1b_2.wav"))
    assert kept["jl_corpus/male2_sad_1b_2"].sentence == kept["jl_corpus/male2_excited_1a_1"].sentence == "1"
    assert kept["jl_corpus/male2_anxious_1b_2"].sentence == "anxious-1"


def test_a_missing_or_empty_transcript_leaves_the_text_open(tmp_path: Path) -> None:
    kept, _ = read(make(tmp_path, "male1_sad_1a_1.wav", "male1_sad_2a_1.wav", "male1_sad_2a_1.txt"))
    assert [row.text for row in kept.values()] == [None, None]


@pytest.mark.parametrize(
    "stem", ["male3_sad_1a_1", "male1_bored_1a_1", "male1_sad_16a_1", "male1_sad_0a_1", "male1_sad_1c_1"]
)
def test_a_name_that_the_corpus_does_not_have_is_dropped(tmp_path: Path, stem: str) -> None:
    kept, dropped = read(make(tmp_path, f"{stem}.wav"))
    assert not kept
    assert dropped == [Dropped(f"{stem}.wav", "a name that this corpus does not have")]


@pytest.mark.corpus
def test_every_name_of_the_whole_corpus_is_read(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "jlcorpus.csv"
    rehearse(manifest, tmp_path / "jl", seconds=0)
    kept, dropped = read(tmp_path / "jl")
    assert (len(kept), dropped) == (2400, [])
    with manifest.open() as file:
        wanted = {f"jl_corpus/{Path(row['path']).stem}": row["emotion"] for row in csv.DictReader(file)}
    assert {name: row.raw_label for name, row in kept.items()} == wanted
    assert set(Counter(row.raw_label for row in kept.values()).values()) == {240}
    assert Counter(row.speaker for row in kept.values()) == {"female1": 600, "female2": 600, "male1": 600, "male2": 600}
    assert sum(row.raw_label in jl_corpus.PRIMARY for row in kept.values()) == 1200
