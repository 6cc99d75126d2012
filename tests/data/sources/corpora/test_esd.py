import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emokit.data.sources.corpora import esd
from emokit.data.synthesis.rehearse import rehearse
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import UsageError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def read(root: Path, **options: Any) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(esd.read(root, options))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_the_number_determines_emotion_sentence_and_split(tmp_path: Path) -> None:
    utterances, dropped = read(make(tmp_path, "Emotion Speech Dataset/0011/Angry/0011_000371.wav"))
    assert not dropped
    assert utterances["esd/0011_000371"] == Utterance(
        utterance_id="esd/0011_000371",
        corpus="esd",
        path="Emotion Speech Dataset/0011/Angry/0011_000371.wav",
        speaker="0011",
        raw_label="Angry",
        gender="male",
        language="en",
        sentence="en-21",
        split="test",
    )


@pytest.mark.parametrize(
    ("number", "emotion", "split"),
    [
        (1, "Neutral", "dev"),
        (20, "Neutral", "dev"),
        (21, "Neutral", "test"),
        (50, "Neutral", "test"),
        (51, "Neutral", "train"),
        (350, "Neutral", "train"),
        (351, "Angry", "dev"),
        (701, "Happy", "dev"),
        (1051, "Sad", "dev"),
        (1401, "Surprise", "dev"),
        (1750, "Surprise", "train"),
    ],
)
def test_blocks_of_350_are_the_emotions_and_their_first_50_are_dev_and_test(
    tmp_path: Path, number: int, emotion: str, split: str
) -> None:
    utterances, _ = read(make(tmp_path, f"0015_{number:06d}.wav"))
    row = utterances[f"esd/0015_{number:06d}"]
    assert (row.raw_label, row.split, row.gender, row.flags) == (emotion, split, "female", ())


def test_split_folders_are_read_and_a_disagreement_is_flagged(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        "0011/Neutral/evaluation/0011_000001.wav",
        "0011/Neutral/train/0011_000002.wav",
        "0011/Sad/0011_000003.wav",
    )
    utterances, _ = read(root)
    assert utterances["esd/0011_000001"].split == "dev"
    assert utterances["esd/0011_000001"].flags == ()
    assert utterances["esd/0011_000002"].split == "train"
    assert utterances["esd/0011_000002"].flags == ("in another split's folder than its sentence",)
    assert utterances["esd/0011_000003"].raw_label == "Neutral"
    assert utterances["esd/0011_000003"].flags == ("in the folder Sad",)


def test_mandarin_is_left_out_by_default(tmp_path: Path) -> None:
    root = make(tmp_path, "0001/Happy/0001_000701.wav", "0011/Happy/0011_000701.wav")
    utterances, dropped = read(root)
    assert list(utterances) == ["esd/0011_000701"]
    assert dropped == [Dropped("0001/Happy/0001_000701.wav", "Mandarin, which the option languages leaves out")]
    utterances, dropped = read(root, languages=["en", "zh"])
    assert {row.language for row in utterances.values()} == {"en", "zh"}
    assert {row.sentence for row in utterances.values()} == {"en-1", "zh-1"}
    assert not dropped


@pytest.mark.parametrize("stem", ["0021_000001", "0011_000000", "0011_001751", "0011_00001", "0000_000001"])
def test_an_unknown_number_is_dropped(tmp_path: Path, stem: str) -> None:
    utterances, dropped = read(make(tmp_path, f"{stem}.wav"), languages=["en", "zh"])
    assert not utterances
    assert dropped == [Dropped(f"{stem}.wav", "unknown file name")]


@pytest.mark.parametrize(
    ("speaker", "text", "encoding"),
    [
        ("0001", "打远一看，它们的确很是美丽", "gb2312"),
        ("0003", "打远一看，它们的确很是美丽", "utf-16"),
        ("0011", "The nine the eggs, I keep.", "utf-8"),
        ("0012", "“A café”, he said…", "utf-16"),
        ("0013", "No mark in front.", "utf-16-le"),
        ("0015", "“A café”, he said…", "utf-8-sig"),
        ("0016", "A café’s door.", "cp1252"),
        ("0017", "Déjà vu.", "latin-1"),
    ],
)
def test_transcripts_are_read_in_each_of_their_encodings(
    tmp_path: Path, speaker: str, text: str, encoding: str
) -> None:
    root = make(tmp_path, f"{speaker}/{speaker}_000001.wav")
    emotion = "中立" if speaker < "0011" else "Neutral"
    line = f"{speaker}_000001\t{text}\t{emotion}\r\n"
    (root / speaker / f"{speaker}.txt").write_bytes(line.encode(encoding))
    utterances, _ = read(root, languages=["en", "zh"])
    assert utterances[f"esd/{speaker}_000001"].text == text
    assert utterances[f"esd/{speaker}_000001"].flags == ()


def test_an_utterance_with_a_malformed_transcript_line_has_no_text_and_is_flagged(tmp_path: Path) -> None:
    root = make(tmp_path, "0015/0015_000136.wav", "0015/0015_000137.wav", "0016/0016_000001.wav")
    (root / "0015" / "0015.txt").write_text("0015_000136\tGood.\tNeutral\n0015_000137 Bad. Neutral\n\n")
    utterances, dropped = read(root)
    assert not dropped
    assert (utterances["esd/0015_000136"].text, utterances["esd/0015_000136"].flags) == ("Good.", ())
    assert (utterances["esd/0015_000137"].text, utterances["esd/0015_000137"].flags) == (None, ("no transcript",))
    assert (utterances["esd/0016_000001"].text, utterances["esd/0016_000001"].flags) == (None, ())


@pytest.mark.parametrize("languages", [["de"], [], "en"])
def test_another_language_is_refused(tmp_path: Path, languages: Any) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, languages=languages)
    assert str(caught.value) == f"esd has the option languages: {languages}; expected a list of en, zh."


@pytest.mark.corpus
def test_the_real_sample_is_read_completely(corpora: Path) -> None:
    utterances, dropped = read(corpora / "esd")
    assert (len(utterances), dropped) == (16, [])
    assert all(row.flags == () for row in utterances.values())


@pytest.mark.corpus
def test_every_name_of_the_complete_corpus_is_read(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "esd.csv"
    rehearse(manifest, tmp_path / "esd", seconds=0)
    utterances, dropped = read(tmp_path / "esd", languages=["en", "zh"])
    assert (len(utterances), dropped) == (35_000, [])
    with manifest.open() as file:
        expected = {f"esd/{Path(row['path']).stem}": row["emotion"] for row in csv.DictReader(file)}
    assert {name: row.raw_label for name, row in utterances.items()} == expected
    assert all(row.flags == () for row in utterances.values())

    english, dropped = read(tmp_path / "esd")
    assert (len(english), len(dropped)) == (17_500, 17_500)
    assert Counter(row.split for row in english.values()) == {"train": 15_000, "test": 1500, "dev": 1000}
    assert Counter(row.gender for row in english.values()) == {"female": 8750, "male": 8750}
