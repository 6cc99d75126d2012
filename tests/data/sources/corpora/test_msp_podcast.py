from pathlib import Path
from typing import Any

import pytest

from emokit.data.catalogue import read_catalogue
from emokit.data.sources.corpora import msp_podcast
from emokit.data.synthesis.corpora import write_corpus
from emokit.data.utterance import Dropped, Utterance
from emokit.errors import DataError, UsageError

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"


def row(name: str, label: str = "N", speaker: str = "39", gender: str = "Male", split: str = "Train") -> str:
    return f"MSP-PODCAST_{name}.wav,{label},3.777778,3.555556,3.777778,{speaker},{gender},{split}"


def write(root: Path, *rows: str, header: str = HEADER, name: str = "Labels/labels_consensus.csv") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("".join(f"{line}\n" for line in (header, *rows)))
    return root / name


def make(root: Path, *names: str, text: str | None = "Well.") -> None:
    for name in names:
        for folder, suffix in (("Audios", "wav"), ("Transcripts", "txt")):
            (root / folder).mkdir(exist_ok=True)
            if suffix == "wav" or text is not None:
                (root / folder / f"MSP-PODCAST_{name}.{suffix}").write_text(text or "")


def read(root: Path, **options: Any) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(msp_podcast.read(root, options))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_a_row_its_recording_and_its_transcript_are_joined(tmp_path: Path) -> None:
    write(tmp_path, row("0001_0008", "H", split="Test1"))
    make(tmp_path, "0001_0008", text="\ufeffwe did \n it\n")
    utterances, dropped = read(tmp_path)
    assert not dropped
    assert utterances == {
        "msp_podcast/MSP-PODCAST_0001_0008": Utterance(
            utterance_id="msp_podcast/MSP-PODCAST_0001_0008",
            corpus="msp_podcast",
            path="Audios/MSP-PODCAST_0001_0008.wav",
            speaker="39",
            raw_label="H",
            gender="male",
            language="en",
            text="we did it",
            dialogue="0001",
            turn=8,
            split="test",
        )
    }


def test_the_test_split_is_the_first_test_set_or_the_chosen_ones(tmp_path: Path) -> None:
    parts = ("Train", "Development", "Test1", "Test2", "Test3", "Test")
    write(tmp_path, *(row(f"0001_000{n}", split=part) for n, part in enumerate(parts)))
    make(tmp_path, *(f"0001_000{n}" for n in range(6)))
    utterances, dropped = read(tmp_path)
    assert [row.split for row in utterances.values()] == ["train", "dev", "test"]
    left_out = "{}, which the option test_sets leaves out"
    assert [(row.name, row.reason, row.detail) for row in dropped] == [
        ("Audios/MSP-PODCAST_0001_0003.wav", left_out.format("Test2"), "Test2"),
        ("Audios/MSP-PODCAST_0001_0004.wav", left_out.format("Test3"), "Test3"),
        ("Audios/MSP-PODCAST_0001_0005.wav", "unknown Split_Set", "Test"),
    ]
    both, _ = read(tmp_path, test_sets=["Test1", "Test2"])
    assert [row.split for row in both.values()] == ["train", "dev", "test", "test"]


@pytest.mark.parametrize("value", ["Test1", [], ["Test4"], None])
def test_an_unknown_test_set_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, test_sets=value)
    assert str(error.value) == (
        f"msp_podcast has the option test_sets: {value}; expected a list of Test1, Test2, Test3."
    )


def test_unknown_speakers_of_a_podcast_count_as_one_and_are_flagged(tmp_path: Path) -> None:
    names = ("0001_0001", "0001_0002", "0002_0001_0003")
    write(tmp_path, *(row(name, speaker="Unknown", gender="Unknown") for name in names), row("0001_0003"))
    make(tmp_path, *names, "0001_0003")
    utterances, _ = read(tmp_path)
    assert [(row.speaker, row.gender, row.flags) for row in utterances.values()] == [
        ("unknown of 0001", None, ("speaker unknown",)),
        ("unknown of 0001", None, ("speaker unknown",)),
        ("unknown of 0002", None, ("speaker unknown",)),
        ("39", "male", ()),
    ]


def test_a_segment_without_a_transcript_or_a_recording_is_flagged_and_one_without_both_dropped(tmp_path: Path) -> None:
    write(tmp_path, row("0001_0001"), row("0001_0002"), row("0001_0003"))
    make(tmp_path, "0001_0001", text=None)
    make(tmp_path, "0001_0002")
    (tmp_path / "Audios/MSP-PODCAST_0001_0002.wav").unlink()
    utterances, dropped = read(tmp_path)
    assert {name[-4:]: (row.path is None, row.text, row.flags) for name, row in utterances.items()} == {
        "0001": (False, None, ("no transcript",)),
        "0002": (True, "Well.", ("no recording",)),
    }
    assert dropped == [Dropped("msp_podcast/MSP-PODCAST_0001_0003", "no recording and no transcript")]


def test_odd_files_and_rows_are_dropped_with_their_reason_or_hidden(tmp_path: Path) -> None:
    write(tmp_path, row("0001_0001", "A"), row("0001_0001", "S"), "notes.wav,A,,,,1,Male,Train", row("0001_0002", ""))
    old = "Previous_releases_information"
    write(tmp_path, row("0001_0001", "X"), name=f"{old}/info/labels_consensus.csv")
    make(tmp_path, "0001_0001", "test3_0001")
    (tmp_path / old / "MSP-PODCAST_0009_0001.wav").touch()
    (tmp_path / "Audios/._MSP-PODCAST_0001_0001.wav").touch()
    (tmp_path / "Audios/intro.wav").touch()
    utterances, dropped = read(tmp_path)
    assert [row.raw_label for row in utterances.values()] == ["A"]
    assert sorted(dropped, key=lambda row: row.name) == [
        Dropped("Audios/MSP-PODCAST_test3_0001.wav", "no row in the labels"),
        Dropped("Audios/intro.wav", "unknown file name"),
        Dropped("Labels/labels_consensus.csv, row 3", "a second row of the same segment", "MSP-PODCAST_0001_0001.wav"),
        Dropped("Labels/labels_consensus.csv, row 4", "malformed row"),
        Dropped("Labels/labels_consensus.csv, row 5", "malformed row"),
        Dropped(f"{old}/MSP-PODCAST_0009_0001.wav", "no row in the labels"),
        Dropped(
            f"{old}/info/labels_consensus.csv", "another file of the same name", "taken: Labels/labels_consensus.csv"
        ),
    ]


def test_without_labels_every_recording_is_dropped_and_the_older_name_is_read(tmp_path: Path) -> None:
    make(tmp_path, "0001_0001")
    _, dropped = read(tmp_path)
    assert dropped == [Dropped("Audios/MSP-PODCAST_0001_0001.wav", "labels_consensus.csv is missing")]
    write(tmp_path, row("0001_0001"), name="Labels/labels_concensus.csv")
    assert len(read(tmp_path)[0]) == 1


def test_damaged_labels_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, header=HEADER.replace("SpkrID", "Speaker"))
    with pytest.raises(DataError) as error:
        read(tmp_path)
    assert str(error.value) == f"{path} lacks the column SpkrID; use the file of the release."
    path.write_bytes(f"{HEADER}\n".encode() + b"\xe9")
    with pytest.raises(DataError) as error:
        read(tmp_path)
    assert str(error.value) == f"{path} is not UTF-8 (byte 0xe9 at {len(HEADER) + 1}); use the file of the release."


def test_all_labels_are_in_the_catalogue() -> None:
    labels = read_catalogue()["msp_podcast"].labels
    assert set(labels) == set(msp_podcast.EMOTIONS)
    assert {raw for raw, label in labels.items() if label is None} == {"C", "O", "X"}


def test_a_synthesised_tree_is_read_but_for_its_second_test_set(tmp_path: Path) -> None:
    write_corpus("msp_podcast", tmp_path / "msp_podcast", size=0.25)
    utterances, dropped = read(tmp_path / "msp_podcast")
    assert (len(utterances), len(dropped)) == (80, 8)
    assert {row.split for row in utterances.values()} == {"train", "dev", "test"}
    assert len({row.speaker for row in utterances.values()}) == 10
