import csv
from collections import Counter
from pathlib import Path

import pytest

from emokit.data.sources.corpora import meld
from emokit.data.synthesis.rehearse import rehearse
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
SIZES = {"train": 9989, "dev": 1109, "test": 2610}


def write_rows(path: Path, *rows: str, header: str = HEADER) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{row}\r\n" for row in (header, *rows)).encode())


def row(dialogue: int, turn: int, text: str = "Hi.", speaker: str = "Joey", emotion: str = "joy") -> str:
    return f'1,"{text}",{speaker},{emotion},positive,{dialogue},{turn},1,1,"00:00:00,000","00:00:01,000"'


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def read(root: Path) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(meld.read(root, {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_rows_and_clips_are_joined_by_split_dialogue_and_turn(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_rows(tmp_path / f"{split}_sent_emo.csv", row(0, 3, text=f"A, {split}."))
    make(
        tmp_path,
        "train/train_splits/dia0_utt3.mp4",
        "dev_splits_complete/dia0_utt3.mp4",
        "test/output_repeated_splits_test/dia0_utt3.mp4",
    )
    utterances, dropped = read(tmp_path)
    assert not dropped
    assert utterances["meld/test/dia0_utt3"] == Utterance(
        utterance_id="meld/test/dia0_utt3",
        corpus="meld",
        path="test/output_repeated_splits_test/dia0_utt3.mp4",
        speaker="Joey",
        raw_label="joy",
        language="en",
        text="A, test.",
        dialogue="test/0",
        turn=3,
        split="test",
    )
    assert utterances["meld/train/dia0_utt3"].path == "train/train_splits/dia0_utt3.mp4"
    assert utterances["meld/dev/dia0_utt3"].path == "dev_splits_complete/dia0_utt3.mp4"


def test_a_row_without_a_clip_is_an_utterance_with_text(tmp_path: Path) -> None:
    write_rows(tmp_path / "dev_sent_emo.csv", row(110, 7))
    utterances, _ = read(tmp_path)
    assert utterances["meld/dev/dia110_utt7"].path is None
    assert utterances["meld/dev/dia110_utt7"].text == "Hi."
    assert utterances["meld/dev/dia110_utt7"].flags == ("no clip",)


def test_wav_is_taken_before_mp4_and_copies_are_dropped(tmp_path: Path) -> None:
    write_rows(tmp_path / "MELD.Raw" / "test_sent_emo.csv", row(0, 0))
    make(
        tmp_path,
        "output_repeated_splits_test/dia0_utt0.mp4",
        "MELD.Raw/output_repeated_splits_test_wav/dia0_utt0.wav",
        "MELD.Raw/copy/output_repeated_splits_test_wav/dia0_utt0.wav",
    )
    utterances, dropped = read(tmp_path)
    taken = "MELD.Raw/output_repeated_splits_test_wav/dia0_utt0.wav"
    assert utterances["meld/test/dia0_utt0"].path == taken
    assert dropped == [
        Dropped(
            "MELD.Raw/copy/output_repeated_splits_test_wav/dia0_utt0.wav",
            "a copy of a file of the same name",
            f"taken: {taken}",
        ),
        Dropped("output_repeated_splits_test/dia0_utt0.mp4", "the same clip in another format", f"taken: {taken}"),
    ]


def test_clips_without_a_row_are_dropped_with_their_reason(tmp_path: Path) -> None:
    write_rows(tmp_path / "test_sent_emo.csv", row(0, 0))
    make(
        tmp_path,
        "output_repeated_splits_test/dia108_utt2.mp4",
        "output_repeated_splits_test/final_videos_testdia0_utt0.mp4",
        "output_repeated_splits_test/._dia0_utt0.mp4",
        "dev_splits_complete/dia0_utt0.mp4",
        "elsewhere/dia0_utt0.mp4",
        "elsewhere/03a01Fa.wav",
    )
    utterances, dropped = read(tmp_path)
    assert utterances["meld/test/dia0_utt0"].flags == ("no clip",)
    assert {row.name: row.reason for row in dropped} == {
        "output_repeated_splits_test/dia108_utt2.mp4": "no row in the annotations",
        "output_repeated_splits_test/final_videos_testdia0_utt0.mp4": "one of the final_videos_test copies",
        "dev_splits_complete/dia0_utt0.mp4": "dev_sent_emo.csv is missing",
        "elsewhere/dia0_utt0.mp4": "in no folder that names train, dev or test",
        "elsewhere/03a01Fa.wav": "unknown file name",
    }


def test_control_characters_of_older_files_become_quotes(tmp_path: Path) -> None:
    text = "You must\x92ve \x93had\x94 it\x85 \x97 Okay?\xa0 \x81"
    write_rows(tmp_path / "train_sent_emo.csv", row(0, 0, text, speaker="Richard\x92s Date"), row(0, 1))
    utterances, _ = read(tmp_path)
    first = utterances["meld/train/dia0_utt0"]
    assert first.text == "You must’ve “had” it… — Okay?  \x81"
    assert first.speaker == "Richard’s Date"
    assert first.flags == ("control characters repaired", "no clip")
    assert utterances["meld/train/dia0_utt1"].flags == ("no clip",)


def test_a_file_in_another_encoding_is_named_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "train_sent_emo.csv"
    good = f"{HEADER}\r\n" + "1,Hi.,Joey,joy,x,0,0\r\n" * 10_000
    path.write_bytes((good + "1,It’s").encode("cp1252"))
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{path} is not UTF-8 (byte 0x92 at {len(good) + 4}); save it as UTF-8, or use the file that MELD publishes."
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dev_sent_emo.csv"
    write_rows(path, "1,Hi.,joy,0,0", header="Sr No.,Utterance,Emotion,Dialogue_ID,Utterance_ID")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{path} lacks the column Speaker; use the file that MELD publishes."


def test_a_malformed_row_and_a_repeated_turn_are_dropped_under_their_numbers(tmp_path: Path) -> None:
    write_rows(tmp_path / "dev_sent_emo.csv", row(0, 0), "2,Hi.", row(0, 0, text="Again."), "4,Hi.,Joey,joy,x,one,2")
    utterances, dropped = read(tmp_path)
    assert [row.text for row in utterances.values()] == ["Hi."]
    assert dropped == [
        Dropped("dev_sent_emo.csv, row 3", "malformed row"),
        Dropped("dev_sent_emo.csv, row 4", "a second row of the same turn"),
        Dropped("dev_sent_emo.csv, row 5", "malformed row"),
    ]


def test_dyadic_and_unknown_tables_are_dropped(tmp_path: Path) -> None:
    write_rows(tmp_path / "dev_sent_emo.csv", row(0, 0))
    write_rows(tmp_path / "MELD_Dyadic" / "dev_sent_emo_dya.csv", row(0, 0))
    write_rows(tmp_path / "variants" / "dev_sent_emo.old.csv", row(0, 0))
    utterances, dropped = read(tmp_path)
    assert len(utterances) == 1
    assert {row.name: row.reason for row in dropped} == {
        "MELD_Dyadic/dev_sent_emo_dya.csv": "MELD_Dyadic, an excerpt of the same rows",
        "variants/dev_sent_emo.old.csv": "unknown file name",
    }


@pytest.mark.corpus
def test_the_real_tables_give_every_row_and_the_four_available_clips(corpora: Path) -> None:
    utterances, dropped = read(corpora / "meld")
    assert Counter(row.split for row in utterances.values()) == SIZES
    assert {row.path is None for row in utterances.values() if row.split != "test"} == {True}
    assert sum(row.path is not None for row in utterances.values()) == 4
    assert Counter(row.reason for row in dropped) == {
        "MELD_Dyadic, an excerpt of the same rows": 3,
        "unknown file name": 3,
    }
    labels = {
        split: Counter(row.raw_label for row in utterances.values() if row.split == split)
        for split in ("train", "dev", "test")
    }
    words = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
    assert [labels["train"][word] for word in words] == [4710, 1743, 1205, 1109, 683, 271, 268]
    assert [labels["dev"][word] for word in words] == [470, 163, 150, 153, 111, 22, 40]
    assert [labels["test"][word] for word in words] == [1256, 402, 281, 345, 208, 68, 50]
    assert len({row.dialogue for row in utterances.values()}) == 1038 + 114 + 280


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("variant", "split"),
    [
        ("dev_sent_emo.u0092.csv", "dev"),
        ("train_sent_emo.a36f437.csv", "train"),
        ("train_sent_emo.1213ffe.csv", "train"),
    ],
)
def test_older_tables_give_the_same_text_and_speakers_as_the_present_ones(
    corpora: Path, tmp_path: Path, variant: str, split: str
) -> None:
    (tmp_path / f"{split}_sent_emo.csv").write_bytes((corpora / "meld" / "variants" / variant).read_bytes())
    old, _ = read(tmp_path)
    present, _ = read(corpora / "meld" / "MELD.Raw")
    expected = {name: (row.text, row.speaker) for name, row in present.items() if row.split == split}
    assert {name: (row.text, row.speaker) for name, row in old.items()} == expected
    assert any("control characters repaired" in row.flags for row in old.values())
    assert not any("control characters repaired" in row.flags for row in present.values())


@pytest.mark.corpus
def test_every_name_of_the_complete_corpus_has_a_row(corpora: Path, tmp_path: Path) -> None:
    manifest = corpora / "name-manifests" / "meld.csv"
    rehearse(manifest, tmp_path / "meld", seconds=0)
    for split in SIZES:
        name = f"{split}_sent_emo.csv"
        (tmp_path / "meld" / name).write_bytes((corpora / "meld" / "MELD.Raw" / name).read_bytes())
    utterances, dropped = read(tmp_path / "meld")
    assert not dropped
    assert Counter(row.split for row in utterances.values()) == SIZES
    assert {name for name, row in utterances.items() if row.path is None} == {
        "meld/train/dia125_utt3",
        "meld/dev/dia110_utt7",
    }
    with manifest.open() as file:
        expected = {str(Path(row["path"]).with_suffix(".wav")): row["emotion"] for row in csv.DictReader(file)}
    assert {row.path: row.raw_label for row in utterances.values() if row.path} == expected
