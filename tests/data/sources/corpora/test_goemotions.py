from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emokit.data.sources.corpora import goemotions
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

# The grouping of the paper, independent of datasets.yaml.
EKMAN = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
    "neutral": "neutral",
}
GROUPS = {word: group for group, words in EKMAN.items() for word in words.split()}


def write(path: Path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8", newline="")


def read(root: Path, **options: Any) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(goemotions.read(root, options))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_a_row_is_an_utterance_without_audio_and_with_its_id_as_speaker(tmp_path: Path) -> None:
    write(tmp_path / "data" / "dev.tsv", 'He said "no" and\u2028left\t27\tedgurhb')
    utterances, dropped = read(tmp_path)
    assert not dropped
    assert utterances["goemotions/edgurhb"] == Utterance(
        utterance_id="goemotions/edgurhb",
        corpus="goemotions",
        path=None,
        speaker="edgurhb",
        raw_label="neutral",
        language="en",
        text='He said "no" and\u2028left',
        split="dev",
    )


def test_an_unpaired_quotation_mark_does_not_join_rows(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", '"Open\t17\ta', 'and "shut"\t2\tb', '"\t0\tc')
    utterances, _ = read(tmp_path)
    assert {name: row.text for name, row in utterances.items()} == {
        "goemotions/a": '"Open',
        "goemotions/b": 'and "shut"',
        "goemotions/c": '"',
    }


def test_rows_of_several_labels_are_dropped_or_joined(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", "Grr\t2,3\ta", "Hm\t2,17\tb", "Ah\t17\tc")
    utterances, dropped = read(tmp_path)
    assert list(utterances) == ["goemotions/c"]
    assert dropped == [
        Dropped("goemotions/a", "several labels", "anger+annoyance"),
        Dropped("goemotions/b", "several labels", "anger+joy"),
    ]
    utterances, dropped = read(tmp_path, conflicts="merge-same-group")
    assert [row.raw_label for row in utterances.values()] == ["anger+annoyance", "anger+joy", "joy"]
    assert not dropped


def test_the_literal_mapping_keeps_only_seven_emotions(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", "Grr\t2,3\ta", "Tss\t3\tb", "Ah\t17\tc", "Eh\t27\td")
    utterances, dropped = read(tmp_path, mapping="literal", conflicts="merge-same-group")
    assert [row.raw_label for row in utterances.values()] == ["joy", "neutral"]
    assert dropped == [
        Dropped("goemotions/a", "not in the literal mapping", "anger+annoyance"),
        Dropped("goemotions/b", "not in the literal mapping", "annoyance"),
    ]


def test_the_list_of_emotions_beside_the_table_defines_the_numbers(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", "Ah\t1\ta")
    assert read(tmp_path)[0]["goemotions/a"].raw_label == "amusement"
    write(tmp_path / "emotions.txt", "neutral", "joy")
    assert read(tmp_path)[0]["goemotions/a"].raw_label == "joy"


@pytest.mark.parametrize(
    "row", ["only text", "text\t28\tid", "text\t-1\tid", "text\t\tid", "\t1\tid", "a\t1\tid\tmore"]
)
def test_a_malformed_row_is_dropped_under_its_number(tmp_path: Path, row: str) -> None:
    write(tmp_path / "train.tsv", "Ah\t17\ta", row)
    utterances, dropped = read(tmp_path)
    assert list(utterances) == ["goemotions/a"]
    assert dropped == [Dropped("train.tsv, row 2", "malformed row")]


def test_several_emotions_are_votes_on_request(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", "Ah\t2,3\ta", "Oh\t2\tb")
    utterances, dropped = read(tmp_path, conflicts="soft")
    assert dropped == []
    assert utterances["goemotions/a"].raw_label == "anger+annoyance"
    assert utterances["goemotions/a"].votes == {"anger": 1.0, "annoyance": 1.0}
    assert utterances["goemotions/b"].votes is None


def test_a_repeated_comment_is_kept_once(tmp_path: Path) -> None:
    write(tmp_path / "train.tsv", "Ah\t17\ta")
    write(tmp_path / "dev.tsv", "Ah\t17\ta")
    utterances, dropped = read(tmp_path)
    assert utterances["goemotions/a"].split == "dev"
    assert dropped == [Dropped("goemotions/a", "a second row of the same comment", "train.tsv")]


def test_of_a_clone_only_the_original_labels_are_read(tmp_path: Path) -> None:
    for folder in ("ekman", "group", "original"):
        write(tmp_path / "data" / folder / "train.tsv", f"{folder}\t0\t{folder}")
    write(tmp_path / "data" / "z" / "copy" / "train.tsv", "original\t0\toriginal")
    write(tmp_path / "data" / "others.tsv", "x")
    utterances, dropped = read(tmp_path)
    assert list(utterances) == ["goemotions/original"]
    assert {row.name: row.reason for row in dropped} == {
        "data/ekman/train.tsv": "a regrouped copy of the labels",
        "data/group/train.tsv": "a regrouped copy of the labels",
        "data/z/copy/train.tsv": "a copy of a file of the same name",
        "data/others.tsv": "unknown file name",
    }


def test_a_file_in_another_encoding_is_named_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_bytes("It’s\t17\ta\n".encode("cp1252"))
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'train.tsv'} is not UTF-8 (byte 0x92 at 2); use the published file."


@pytest.mark.parametrize(
    ("option", "known"), [("mapping", "ekman or literal"), ("conflicts", "drop or merge-same-group or soft")]
)
def test_an_unknown_value_of_an_option_is_refused(tmp_path: Path, option: str, known: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, **{option: "odd"})
    assert str(caught.value) == f"goemotions has the option {option}: odd; expected {known}."


def splits(rows: dict[str, Utterance]) -> dict[str | None, int]:
    return dict(Counter(row.split for row in rows.values()))


@pytest.mark.corpus
def test_single_labels_give_the_papers_counts(corpora: Path) -> None:
    utterances, dropped = read(corpora / "goemotions")
    assert splits(utterances) == {"train": 36_308, "dev": 4548, "test": 4590}
    assert Counter(row.reason for row in dropped) == {"several labels": 54_263 - 45_446}
    train = Counter(GROUPS[row.raw_label] for row in utterances.values() if row.split == "train")
    assert train == {
        "joy": 12_920, "neutral": 12_823, "anger": 3878, "surprise": 3553, "sadness": 2121, "fear": 515, "disgust": 498,
    }  # fmt: skip


@pytest.mark.corpus
def test_labels_of_one_group_merged_give_the_papers_counts(corpora: Path) -> None:
    utterances, dropped = read(corpora / "goemotions", conflicts="merge-same-group")
    assert (len(utterances), dropped) == (54_263, [])
    groups = {name: {GROUPS[word] for word in row.raw_label.split("+")} for name, row in utterances.items()}
    merged = {name: row for name, row in utterances.items() if len(groups[name]) == 1}
    assert splits(merged) == {"train": 39_555, "dev": 4946, "test": 4968}
    test = Counter(next(iter(groups[name])) for name, row in merged.items() if row.split == "test")
    assert test == {
        "joy": 1863, "neutral": 1606, "anger": 572, "surprise": 488, "sadness": 283, "fear": 80, "disgust": 76,
    }  # fmt: skip


@pytest.mark.corpus
def test_literal_labels_give_their_counts(corpora: Path) -> None:
    utterances, _ = read(corpora / "goemotions", mapping="literal")
    assert splits(utterances)["train"] == 17_166
    assert len(utterances) == 21_431


@pytest.mark.corpus
def test_the_1097_training_texts_with_quotation_marks_keep_them(corpora: Path) -> None:
    utterances, _ = read(corpora / "goemotions", conflicts="merge-same-group")
    assert sum('"' in (row.text or "") for row in utterances.values() if row.split == "train") == 1097
    raw = (corpora / "goemotions" / "train.tsv").read_bytes()
    assert sum((row.text or "").count('"') for row in utterances.values() if row.split == "train") == raw.count(b'"')
