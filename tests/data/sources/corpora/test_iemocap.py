from collections import Counter
from pathlib import Path

import pytest

from emokit.data.catalogue import read_catalogue
from emokit.data.sources.corpora import iemocap
from emokit.data.synthesis.corpora import write_corpus
from emokit.data.utterance import Dropped, Utterance

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
RATERS = "C-E2:\tNeutral;\t()\nC-E3:\tFrustration; Anger;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n\n"


def row(turn: str, emotion: str = "neu", start: float = 1.0) -> str:
    return f"[{start:.4f} - {start + 1:.4f}]\t{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]\n{RATERS}"


def write_labels(root: Path, dialogue: str, *rows: str) -> None:
    path = root / f"Session{dialogue[4]}/dialog/EmoEvaluation/{dialogue}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(rows))


def write_transcript(root: Path, dialogue: str, *lines: str) -> None:
    path = root / f"Session{dialogue[4]}/dialog/transcriptions/{dialogue}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def make(root: Path, *turns: str) -> None:
    for turn in turns:
        path = root / f"Session{turn[4]}/sentences/wav/{turn.rpartition('_')[0]}/{turn}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def read(root: Path) -> tuple[dict[str, Utterance], list[Dropped]]:
    rows = list(iemocap.read(root, {}))
    utterances = [row for row in rows if isinstance(row, Utterance)]
    assert len({row.utterance_id for row in utterances}) == len(utterances)
    return {row.utterance_id: row for row in utterances}, [row for row in rows if isinstance(row, Dropped)]


def test_label_text_speaker_and_place_in_the_dialogue_are_read(tmp_path: Path) -> None:
    # The woman wears the markers; the man speaks second, in a file of its own.
    write_labels(
        tmp_path, "Ses01F_impro01", row("Ses01F_impro01_F000", "neu", 6.2901), row("Ses01F_impro01_M000", "fru", 7.5)
    )
    write_transcript(
        tmp_path,
        "Ses01F_impro01",
        "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.",
        "Ses01F_impro01_M000 [007.5000-010.4750]: Do you have your forms: all?",
    )
    make(tmp_path, "Ses01F_impro01_F000", "Ses01F_impro01_M000")
    utterances, dropped = read(tmp_path)
    assert not dropped
    assert utterances["iemocap/Ses01F_impro01_M000"] == Utterance(
        utterance_id="iemocap/Ses01F_impro01_M000",
        corpus="iemocap",
        path="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav",
        speaker="Ses01M",
        raw_label="fru",
        gender="male",
        language="en",
        text="Do you have your forms: all?",
        dialogue="Ses01F_impro01",
        turn=1,
    )
    first = utterances["iemocap/Ses01F_impro01_F000"]
    assert (first.speaker, first.gender, first.turn, first.text) == ("Ses01F", "female", 0, "Excuse me.")


def test_turns_are_numbered_by_time_and_dialogues_with_letters_are_their_own(tmp_path: Path) -> None:
    for dialogue in ("Ses05M_script01_1", "Ses05M_script01_1b", "Ses03M_impro05a"):
        turns = (f"{dialogue}_M000", f"{dialogue}_F000", f"{dialogue}_M001")
        write_labels(tmp_path, dialogue, *map(row, turns, ("ang", "sad", "exc"), (9.5, 10.25, 2.0)))
        make(tmp_path, *turns)
    utterances, dropped = read(tmp_path)
    assert not dropped
    assert len(utterances) == 9
    for dialogue in ("Ses05M_script01_1", "Ses05M_script01_1b", "Ses03M_impro05a"):
        numbers = {name: utterances[f"iemocap/{dialogue}_{name}"].turn for name in ("M000", "F000", "M001")}
        assert numbers == {"M001": 0, "M000": 1, "F000": 2}
        assert {row.dialogue for row in utterances.values() if f"/{dialogue}_M" in row.utterance_id} == {dialogue}


def test_ten_speakers_are_named_after_session_and_voice_not_after_the_markers(tmp_path: Path) -> None:
    turns = [f"Ses{n:02}{worn}_impro01_{voice}000" for n in range(1, 6) for worn in "FM" for voice in "FM"]
    for turn in turns:
        dialogue = turn.rpartition("_")[0]
        write_labels(tmp_path, dialogue, *(row(name) for name in turns if name.startswith(dialogue)))
    make(tmp_path, *turns)
    utterances, _ = read(tmp_path)
    assert Counter(row.speaker for row in utterances.values()) == {
        f"Ses{n:02}{voice}": 2 for n in range(1, 6) for voice in "FM"
    }


def test_a_turn_without_a_transcript_or_a_recording_is_flagged_and_one_without_both_dropped(tmp_path: Path) -> None:
    turns = [f"Ses02F_impro01_F00{n}" for n in range(4)]
    write_labels(tmp_path, "Ses02F_impro01", *map(row, turns))
    write_transcript(
        tmp_path,
        "Ses02F_impro01",
        f"{turns[0]} [001.0000-002.0000]: Both.",
        f"{turns[2]} [001.0000-002.0000]: Text.",
        "M: [BREATHING]",
        "Ses02F_impro01_MXX0 [003.0000-004.0000]: No label.",
    )
    make(tmp_path, *turns[:2])
    utterances, dropped = read(tmp_path)
    assert {name[-4:]: (row.path is None, row.text, row.flags) for name, row in utterances.items()} == {
        "F000": (False, "Both.", ()),
        "F001": (False, None, ("no transcript",)),
        "F002": (True, "Text.", ("no recording",)),
    }
    assert dropped == [Dropped("iemocap/Ses02F_impro01_F003", "no recording and no transcript")]


def test_odd_files_and_rows_are_dropped_with_their_reason_or_hidden(tmp_path: Path) -> None:
    good, other = "Ses01F_impro01_F000", "Ses01F_impro01_F001"
    write_labels(
        tmp_path,
        "Ses01F_impro01",
        row(good, "ang"),
        row(good, "sad"),
        row("Ses01F_impro01_FXX0"),
        row("Ses01F_impro02_F000"),
        "[1.0 - 2.0] broken\n",
    )
    make(tmp_path, good, other)
    sentences = tmp_path / "Session1/sentences/wav/Ses01F_impro01"
    (sentences / f"._{good}.wav").touch()
    (sentences / "notes.wav").touch()
    for folder in ("dialog/wav", "dialog/avi/DivX", "dialog/EmoEvaluation/Categorical", "dialog/MOCAP_rotated"):
        (tmp_path / "Session1" / folder).mkdir(parents=True)
    (tmp_path / "Session1/dialog/wav/Ses01F_impro01.wav").touch()
    (tmp_path / "Session1/dialog/avi/DivX/Ses01F_impro01.avi").touch()
    (tmp_path / "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt").write_text(
        f"{other} :Anger; ()\n"
    )
    (tmp_path / "Session1/dialog/MOCAP_rotated/Ses01F_impro01.txt").write_text(row(other))
    (tmp_path / "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt").write_text(row(other))
    utterances, dropped = read(tmp_path)
    assert {name: row.raw_label for name, row in utterances.items()} == {f"iemocap/{good}": "ang"}
    labels, whole = (
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
        "a whole dialogue, whose turns have files of their own",
    )
    assert sorted(dropped, key=lambda row: row.name) == [
        Dropped(
            "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, line 13", "unknown name of a turn", "Ses01F_impro01_FXX0"
        ),
        Dropped(
            "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, line 18", "unknown name of a turn", "Ses01F_impro02_F000"
        ),
        Dropped(f"{labels}, line 23", "malformed row"),
        Dropped(f"{labels}, line 8", "a second row of the same turn", good),
        Dropped("Session1/dialog/avi/DivX/Ses01F_impro01.avi", whole),
        Dropped("Session1/dialog/wav/Ses01F_impro01.wav", whole),
        Dropped(f"Session1/sentences/wav/Ses01F_impro01/{other}.wav", "no row in EmoEvaluation"),
        Dropped("Session1/sentences/wav/Ses01F_impro01/notes.wav", "unknown file name"),
    ]


def test_of_a_tree_that_is_there_twice_the_upper_one_is_taken(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "IEMOCAP_full_release"):
        write_labels(root, "Ses04M_script02_2", row("Ses04M_script02_2_F000", "hap"))
        write_transcript(root, "Ses04M_script02_2", "Ses04M_script02_2_F000 [001.0000-002.0000]: It’s café.")
        make(root, "Ses04M_script02_2_F000")
    path = tmp_path / "Session4/dialog/transcriptions/Ses04M_script02_2.txt"
    path.write_bytes(path.read_text().encode("cp1252"))  # not UTF-8, and so not the same as its copy
    utterances, dropped = read(tmp_path)
    (utterance,) = utterances.values()
    assert utterance.path == "Session4/sentences/wav/Ses04M_script02_2/Ses04M_script02_2_F000.wav"
    assert utterance.text == "It’s café."
    assert sorted((row.name.split("/")[-2], row.reason) for row in dropped) == [
        ("EmoEvaluation", "a copy of a file of the same name"),
        ("Ses04M_script02_2", "a copy of a file of the same name"),
        ("transcriptions", "another file of the same name"),
    ]


def test_all_emotions_are_in_the_catalogue_and_four_classes_have_a_label() -> None:
    labels = read_catalogue()["iemocap"].labels
    assert set(labels) == set(iemocap.EMOTIONS)
    assert {raw: label for raw, label in labels.items() if label} == {
        "ang": "angry",
        "exc": "happy",
        "hap": "happy",
        "neu": "neutral",
        "sad": "sad",
    }


@pytest.mark.parametrize("size", [0.25, 0.5])
def test_a_synthesised_tree_is_read_whole(tmp_path: Path, size: float) -> None:
    write_corpus("iemocap", tmp_path / "iemocap", size=size)
    utterances, dropped = read(tmp_path / "iemocap")
    assert not dropped
    assert len(utterances) == len(list(tmp_path.rglob("*.wav"))) == 5 * round(4 * size) * 14
    assert len({row.speaker for row in utterances.values()}) == 10
    assert all(row.text and row.path and not row.flags for row in utterances.values())
